import { priorityOf } from "./picker-tiers.js";
import type { PickerPolicy } from "./pickers/index.js";
import type { Subchannel } from "./subchannel.js";

/** How far the endpoints are that connect without being asked for. */
export interface Readiness {
  readonly ready: number;
  /** Of how many; 0 while no endpoints are known. */
  readonly wanted: number;
  /** One that could not be connected, and why; null where none has failed. */
  readonly failed: string | null;
  /** True where the one that failed is connected, and says that it is not well. */
  readonly isUnwell: boolean;
  /** True while none is connected, or about to be. */
  readonly isIdle: boolean;
  /** What is to be waited for, in words. */
  readonly missing: string;
}

/** @param order all endpoints, the preferred ones first */
export function readinessOf(
  order: readonly Subchannel[],
  { connects }: PickerPolicy,
  limit: number,
  missing: string,
): Readiness {
  const best = order.filter((subchannel) => priorityOf(subchannel) === priorityOf(order[0] as Subchannel));
  const wanted = connects === "all" ? best.slice(0, limit) : order;
  const ready = wanted.filter(({ aggregateState }) => aggregateState === "READY").length;
  // Of the other policies one endpoint is enough, and only when all have failed is there none.
  const isOneEnough = connects !== "all";
  const failing = wanted.filter(({ aggregateState }) => aggregateState === "TRANSIENT_FAILURE");
  const isFailed = isOneEnough ? failing.length === wanted.length : true;
  const [first] = failing;
  return {
    ready: isOneEnough ? Math.min(ready, 1) : ready,
    wanted: isOneEnough ? Math.min(wanted.length, 1) : wanted.length,
    failed: isFailed && first !== undefined ? `${first.endpoint.address}: ${first.trouble}` : null,
    isUnwell: first?.state === "READY",
    isIdle: order.every(({ state }) => state === "IDLE"),
    missing,
  };
}
