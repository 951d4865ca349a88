import type { Random } from "../core/index.js";
import type { PickCall, Picker, PickFilter } from "./pickers/index.js";
import type { Subchannel } from "./subchannel.js";

/** Envoy's default: a zone whose endpoints are all well can take 1.4 times its share, so a few may fail first. */
const OVERPROVISIONING = 1.4;

/** Lower is preferred. */
export function priorityOf({ endpoint }: Pick<Subchannel, "endpoint">): number {
  return endpoint.priority ?? 0;
}

/** Endpoints of one priority: those of our own zone, and the rest. */
export interface Tier {
  readonly priority: number;
  /** Null where none of ours is left, or zones mean nothing. */
  readonly local: Picker<Subchannel> | null;
  readonly rest: Picker<Subchannel> | null;
  /** Share of the calls that goes to our own zone while both have endpoints. */
  readonly localShare: number;
}

/**
 * How much of the load our own zone takes: all of it while at least five in seven of its endpoints are usable, then
 * less in proportion, so that those that are left are not overrun.
 */
export function localShareOf(usable: number, total: number): number {
  return total === 0 ? 0 : Math.min(1, (usable / total) * OVERPROVISIONING);
}

/** Asks the zones of a tier in the order that chance and their shares give. */
export function pickFromTier(
  { local, rest, localShare }: Tier,
  filter: PickFilter<Subchannel>,
  call: PickCall,
  random: Random,
): Subchannel | null {
  if (local === null) return rest === null ? null : rest.pick(filter, call);
  if (rest === null) return local.pick(filter, call);
  const isLocalFirst = localShare >= 1 || (local.draw?.(call) ?? random.next()) < localShare;
  const [first, second] = isLocalFirst ? [local, rest] : [rest, local];
  return first.pick(filter, call) ?? second.pick(filter, call);
}
