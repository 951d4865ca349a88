import { exceeds } from "../core/index.js";
import { PRESET_NAMES, type ResolvedChannelOptions } from "./channel-options.js";
import { PRESETS } from "./preset-values.js";

type Group = Readonly<Record<string, unknown>>;

/** Group, and two of its fields of which the first may not exceed the second. */
const ORDERED = [
  ["reconnectBackoff", "initialMs", "maxMs"],
  ["breaker", "openMs", "maxOpenMs"],
  ["retry", "maxAttempts", "maxAttemptsLimit"],
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
  // The other way to say how many connections there are: beside it the preset's own would be refused.
  if ((options["minConnections"] ?? options["maxConnections"]) !== undefined) {
    merged["poolSize"] = options["poolSize"];
  }
  for (const [group, low, high] of ORDERED) yieldToUser(merged[group], options[group], low, high);
  return merged;
}

/** The methods that a user's own options name; of those of a preset, a service may well have only some. */
export function ownMethodNames({ methods, preset }: ResolvedChannelOptions): readonly string[] {
  const given = PRESETS[preset ?? "grpc"].methods ?? {};
  return Object.keys(methods).filter((name) => !(name in given));
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
