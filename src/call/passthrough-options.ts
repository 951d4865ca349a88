import type { TargetList } from "../discovery/index.js";
import { poolOptionsShape } from "../pool/index.js";

/** Of the pool's options, those that a channel of grpc-js takes over. */
const WITHOUT_POOL: readonly string[] = [
  "authority",
  "channelOptions",
  "compression",
  "drainMs",
  "flowControlWindowBytes",
  "idleTimeoutMs",
  "keepalive",
  "maxReceiveMessageBytes",
  "maxSendMessageBytes",
];
/** Further options of a channel that would do nothing. */
const NEEDS_POOL: readonly string[] = ["discovery", "health", "outlierEjection"];

/** Options that would do nothing beside `passthrough:`, and are refused lest they seem to do something. */
export function passthroughProblems(options: unknown, target: TargetList | null): readonly string[] {
  if (target?.targets[0]?.scheme !== "passthrough" || typeof options !== "object" || options === null)
    return [];
  return Object.entries(options)
    .filter(([key, value]) => value !== undefined && isPoolOnly(key))
    .map(([key]) => `${key} needs a pool, and ${target.canonical} has none, as grpc-js chooses its servers`);
}

function isPoolOnly(key: string): boolean {
  return (key in poolOptionsShape && !WITHOUT_POOL.includes(key)) || NEEDS_POOL.includes(key);
}
