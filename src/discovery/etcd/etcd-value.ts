import { canonicalAddress, type Endpoint, parseAddress } from "../../core/index.js";
import type { ResolvedServiceOptions } from "../registration-options.js";

/** As for endpoints from elsewhere: a share of less than a millionth is as good as none. */
const MAX_WEIGHT = 1_000_000;

/** Fields of `Metadata` that mean something to us, and what they have to be. Those that are not are left out. */
const MEANINGS: Readonly<Record<string, (value: unknown) => boolean>> = {
  weight: (value) => typeof value === "number" && value > 0 && value <= MAX_WEIGHT,
  priority: (value) => Number.isSafeInteger(value) && (value as number) >= 0,
  zone: isText,
  hashKey: isText,
  serverName: isText,
};

/**
 * Reads the value of one key as etcd's own naming for Go writes it: `{"Op":0,"Addr":"10.0.0.5:50051","Metadata":null}`.
 * Of a `Metadata` that is an object, `weight`, `priority`, `zone`, `hashKey` and `serverName` are the endpoint's; other
 * texts are its metadata, `tags` too, joined by commas.
 *
 * @returns the endpoint, or what is wrong with the value
 */
export function endpointOf(value: Uint8Array): Endpoint | string {
  const update = parsed(value);
  if (update === null) return "is no JSON object with an Addr";
  if (member(update, "Op") === 1) return "says that its endpoint is deleted (Op 1)";
  const addr = member(update, "Addr");
  if (typeof addr !== "string") return "has no Addr that is a text";
  const address = parseAddress(addr);
  if (typeof address === "string")
    return `has the Addr ${JSON.stringify(addr.slice(0, 80))}, which ${address}`;
  return { address: canonicalAddress(address), ...detailsOf(member(update, "Metadata")) };
}

/** Writes a service as `endpointOf`, and etcd's naming for Go, read it. */
export function writtenValue({ address, weight, zone, tags, metadata }: ResolvedServiceOptions): string {
  const details = {
    ...metadata,
    ...(weight !== 1 && { weight }),
    ...(zone !== undefined && { zone }),
    ...(tags.length > 0 && { tags }),
  };
  const hasDetails = Object.keys(details).length > 0;
  return JSON.stringify({ Op: 0, Addr: address, Metadata: hasDetails ? details : null });
}

function parsed(value: Uint8Array): object | null {
  try {
    const json: unknown = JSON.parse(Buffer.from(value).toString("utf8"));
    return typeof json === "object" && json !== null && !Array.isArray(json) ? json : null;
  } catch {
    return null;
  }
}

/** Go's reader does not look at the case of names, so neither may we; of several the exact one counts. */
function member(object: object, name: string): unknown {
  const names = Object.keys(object).filter((key) => key.toLowerCase() === name.toLowerCase());
  return Reflect.get(object, names.includes(name) ? name : (names[0] ?? name));
}

function detailsOf(given: unknown): Omit<Endpoint, "address"> {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return {};
  const meant: Record<string, unknown> = {};
  const metadata: Record<string, string> = {};
  for (const [key, value] of Object.entries(given)) {
    if (Object.hasOwn(MEANINGS, key)) {
      if (MEANINGS[key]?.(value)) meant[key] = value;
    } else if (typeof value === "string") put(metadata, key, value);
    else if (key === "tags" && Array.isArray(value) && value.every(isText))
      put(metadata, key, value.join(","));
  }
  return { ...meant, ...(Object.keys(metadata).length > 0 && { metadata }) };
}

/** Also a key such as `__proto__`, which an assignment would take for something else. */
function put(object: Record<string, string>, key: string, value: string): void {
  Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
}

function isText(value: unknown): value is string {
  return typeof value === "string" && value !== "";
}
