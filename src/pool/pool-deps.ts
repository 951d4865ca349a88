import type { ConnectivityWord, EventHub, Random } from "../core/index.js";
import type { PickFailure } from "./pick-failure.js";
import type { PickerPolicy } from "./pickers/index.js";
import type { EndpointGate, Slot } from "./slot.js";
import type { SubchannelDeps } from "./subchannel.js";

/** What a pool works with beside its options. */
export interface PoolDeps extends Omit<SubchannelDeps, "connectTimeoutMs" | "drainMs" | "checkTimeoutMs"> {
  readonly random: Random;
  readonly events: Pick<EventHub, "emit">;
  readonly policy: PickerPolicy;
  /** The breaker of an endpoint, which all pools of the target share. */
  gateFor(address: string): EndpointGate;
  /**
   * True while the endpoint is READY in another pool of the target: then a dial that failed, or a connection that was
   * lost, is no evidence against it. Absent where there is no other pool.
   */
  isReadyElsewhere?(address: string): boolean;
  /** Connections failed: the addresses may be stale. */
  onTrouble(): void;
  onState(word: ConnectivityWord): void;
}

/** One pick's answer: a slot, a reason to fail, or "queue". */
export type PickResult = Slot | PickFailure | "queue";
