import type { TargetList } from "../discovery/index.js";

/** True when every address of the target is a `unix:` socket, which is private without TLS, as gRPC has it, too. */
export function isUnixTarget({ targets }: TargetList): boolean {
  return targets.every(
    (target) => "addresses" in target && target.addresses.every(({ kind }) => kind === "unix"),
  );
}
