import { canonicalAddress } from "../core/index.js";
import type { ValidTarget } from "../discovery/index.js";

const LOOPBACK = /^(localhost|127(\.\d+){3}|\[::1\]):\d+$/;

/** True when no connection of the target leaves this machine: every address is loopback or a `unix:` socket. */
export function isLocalTarget(target: ValidTarget): boolean {
  const addresses =
    target.scheme === "dns"
      ? [{ kind: "tcp" as const, host: target.host, port: target.port }]
      : target.addresses;
  return addresses.every((address) => address.kind === "unix" || LOOPBACK.test(canonicalAddress(address)));
}
