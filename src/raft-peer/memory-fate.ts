import type { Random } from "../core/index.js";
import type { ResolvedMemoryNetworkOptions } from "./memory-network-options.js";

/** What chance has in store for one call. */
export interface MemoryFate {
  readonly requestDelayMs: number;
  readonly isRequestLost: boolean;
  readonly isReplyLost: boolean;
  readonly replyDelayMs: number;
  /** From the first arrival to the second; null when there is no second. */
  readonly duplicateDelayMs: number | null;
}

/** labrpc's numbers. */
const REQUEST_DELAYS = 27;
const LOSS_RATIO = 0.1;
const REORDER_RATIO = 2 / 3;
const REORDER_MIN_MS = 200;
const REORDER_DELAYS = 2_000;
const UNREACHABLE_DELAYS = 100;
const UNREACHABLE_LONG_DELAYS = 7_000;

const UNTOUCHED: MemoryFate = {
  requestDelayMs: 0,
  isRequestLost: false,
  isReplyLost: false,
  replyDelayMs: 0,
  duplicateDelayMs: null,
};

/**
 * Draws everything as the call begins and as the switches then stand, so that what other calls do meanwhile never
 * shifts the draws. In this order: three for an unreliable network (delay, request lost, reply lost), three for long
 * reordering, three for duplicates; none for what is off.
 */
export function drawFate(options: ResolvedMemoryNetworkOptions, random: Random): MemoryFate {
  const { reliable, longReordering, duplicateRatio } = options;
  if (reliable && !longReordering && duplicateRatio === 0) return UNTOUCHED;
  const requestDelayMs = reliable ? 0 : below(REQUEST_DELAYS, random);
  const isRequestLost = !reliable && random.next() < LOSS_RATIO;
  const isReplyLost = !reliable && random.next() < LOSS_RATIO;
  const replyDelayMs = longReordering ? drawReplyDelayMs(random) : 0;
  const duplicateDelayMs = duplicateRatio > 0 ? drawDuplicateDelayMs(duplicateRatio, random) : null;
  return { requestDelayMs, isRequestLost, isReplyLost, replyDelayMs, duplicateDelayMs };
}

/** How long the caller waits before it hears that nothing can be reached. One draw. */
export function drawUnreachableMs(longDelays: boolean, random: Random): number {
  return below(longDelays ? UNREACHABLE_LONG_DELAYS : UNREACHABLE_DELAYS, random);
}

function drawReplyDelayMs(random: Random): number {
  const isDelayed = random.next() < REORDER_RATIO;
  const delayMs = REORDER_MIN_MS + drawSkewed(random);
  return isDelayed ? delayMs : 0;
}

function drawDuplicateDelayMs(ratio: number, random: Random): number | null {
  const isDuplicated = random.next() < ratio;
  const delayMs = drawSkewed(random);
  return isDuplicated ? delayMs : null;
}

/** 0 to 1,999, small ones more often: labrpc's rand(1 + rand(2000)). */
function drawSkewed(random: Random): number {
  return below(1 + below(REORDER_DELAYS, random), random);
}

function below(limit: number, random: Random): number {
  return Math.floor(random.next() * limit);
}
