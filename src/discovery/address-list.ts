import { isIPv4, isIPv6 } from "node:net";
import { canonicalAddress, parseAddress, type SocketAddress } from "../core/index.js";

/** The addresses of a list, or everything that is wrong with it. */
export interface AddressList {
  readonly addresses: readonly SocketAddress[];
  readonly problems: readonly string[];
}

export type ListScheme = "static" | "ipv4" | "ipv6";

const EXAMPLES: Readonly<Record<ListScheme, string>> = {
  static: "static:///host:port,host:port",
  ipv4: "ipv4:1.2.3.4:50051,5.6.7.8:50051",
  ipv6: "ipv6:[::1]:50051,[::2]:50051",
};

/** Reads addresses separated by commas. Every address needs a port; order is kept, as `pick_first` goes by it. */
export function parseAddressList(scheme: ListScheme, list: string): AddressList {
  if (list === "")
    return { addresses: [], problems: [`the address list is empty; write ${EXAMPLES[scheme]}`] };
  const addresses: SocketAddress[] = [];
  const problems: string[] = [];
  const seen = new Map<string, string>();
  list.split(",").forEach((text, index) => {
    if (text === "") {
      problems.push(
        `address ${index + 1} of the list ${JSON.stringify(list)} is empty; write ${EXAMPLES[scheme]}`,
      );
      return;
    }
    const address = parseEntry(scheme, text);
    if (typeof address === "string") {
      problems.push(`the address ${JSON.stringify(text)} ${address}`);
      return;
    }
    const key = canonicalAddress(address);
    const first = seen.get(key);
    if (first === undefined) seen.set(key, text);
    else
      problems.push(
        `the address ${JSON.stringify(text)} repeats ${JSON.stringify(first)}; name each address once`,
      );
    addresses.push(address);
  });
  return { addresses, problems };
}

/** The path of `unix:/path` or `unix:///path`, without its scheme; an empty one means that none is named. */
export function unixPath(authority: string | null, path: string): string {
  // More than one slash at the start would read as an authority when the address is parsed again.
  return authority === null || path === "" ? path : `/${path}`.replace(/^\/+/, "/");
}

function parseEntry(scheme: ListScheme, text: string): SocketAddress | string {
  const address = parseAddress(scheme === "static" ? text.replace(/^unix:\/{2,}/, "unix:/") : text);
  if (typeof address === "string" || scheme === "static") return address;
  const isOfFamily = scheme === "ipv4" ? isIPv4 : isIPv6;
  if (address.kind === "tcp" && isOfFamily(address.host)) return address;
  const family = scheme === "ipv4" ? "IPv4" : "IPv6";
  return `is no ${family} address; ${scheme}: takes nothing else, write static:/// for other addresses or a mix`;
}
