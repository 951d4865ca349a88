import { exceeds } from "../core/index.js";
import { type ChannelOptions, PRESET_NAMES, type PresetName } from "./channel-options.js";

type Group = Readonly<Record<string, unknown>>;

/**
 * Raft's heartbeats are its own probes, every 125 ms, and a peer that comes back must get one before the shortest
 * election timeout of 1,000 ms: no breaker may hold it back, and no wait for a dial be longer than 350 ms.
 */
const RAFT: ChannelOptions = {
  reconnectBackoff: { initialMs: 50, multiplier: 1.6, maxMs: 200 },
  connectTimeoutMs: 350,
  suspicion: { checkTimeoutMs: 100 },
  breaker: false,
  methods: { "raftpb.RaftService": { idempotent: true, retry: false } },
};

/** A replicated KV service as its clients see it; the Clerk repeats by rules of its own. */
const ERAFT: ChannelOptions = {
  reconnectBackoff: RAFT.reconnectBackoff,
  connectTimeoutMs: 1_000,
  suspicion: { checkTimeoutMs: 250 },
  breaker: { consecutiveFailures: 5, openMs: 100, maxOpenMs: 250 },
  keepalive: null,
  methods: {
    "kvraftpb.KVService": { retry: false },
    "kvraftpb.KVService/GetStatus": { idempotent: true, retry: false },
  },
};

/** The values of each preset; `grpc` is the plain defaults. */
const PRESETS: Readonly<Record<PresetName, ChannelOptions>> = { grpc: {}, raft: RAFT, eraft: ERAFT };

/** Group, and two of its fields of which the first may not exceed the second. */
const ORDERED = [
  ["reconnectBackoff", "initialMs", "maxMs"],
  ["breaker", "openMs", "maxOpenMs"],
] as const;

/**
 * Puts the values of the preset they name under a user's options. Groups are merged field by field; everything else the
 * user sets, `false` and `null` too, stands instead of the preset's. Options that are none stay what they are.
 */
export function withPreset(options: unknown): unknown {
  if (!isGroup(options)) return options;
  const name = PRESET_NAMES.find((known) => known === options["preset"]);
  if (name === undefined) return options;
  const merged = merge(PRESETS[name] as Group, options);
  for (const [group, low, high] of ORDERED) yieldToUser(merged[group], options[group], low, high);
  return merged;
}

function merge(preset: Group, user: Group): Record<string, unknown> {
  const merged: Record<string, unknown> = { ...user };
  for (const [key, value] of Object.entries(preset)) {
    const own = user[key];
    if (own === undefined) merged[key] = value;
    else if (isGroup(value) && isGroup(own)) merged[key] = merge(value, own);
  }
  return merged;
}

/** Whoever sets one end of a range means it: the preset's other end follows, or the user would be told off for it. */
function yieldToUser(merged: unknown, user: unknown, low: string, high: string): void {
  if (!isGroup(merged) || !isGroup(user) || !exceeds(merged[low], merged[high])) return;
  if (user[high] === undefined) Object.assign(merged, { [high]: merged[low] });
  else if (user[low] === undefined) Object.assign(merged, { [low]: merged[high] });
}

function isGroup(value: unknown): value is Group {
  if (typeof value !== "object" || value === null) return false;
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}
