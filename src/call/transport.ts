import type { Candidate, PickCall, PickFilter, PickQueue, PickResult } from "../pool/index.js";

/** Where attempts go: the pool, or the channel of a stub that was hardened without one. */
export interface CallTransport {
  /**
   * A slot, a reason to fail, or "queue".
   * @param tried endpoints to avoid while another one is usable
   */
  pick(call: PickCall, tried: PickFilter<Candidate> | null, isWaitingForReady: boolean): PickResult;
  /** Calls told to queue wait here. */
  readonly queue: PickQueue;
  /** What a queued call waits for, in words. */
  readonly missing: string;
}
