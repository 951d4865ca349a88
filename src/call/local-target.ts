import type { ValidTarget } from "../discovery/index.js";

/** True when every address of the target is a `unix:` socket, which is private without TLS, as gRPC has it, too. */
export function isUnixTarget(target: ValidTarget): boolean {
  return target.scheme !== "dns" && target.addresses.every(({ kind }) => kind === "unix");
}
