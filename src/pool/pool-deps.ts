import type { ConnectivityWord, EventHub, Random } from "../core/index.js";
import type { PickFailure } from "./pick-failure.js";
import type { PickerPolicy } from "./pickers/index.js";
import type { EndpointGate, Slot } from "./slot.js";
import type { SubchannelDeps } from "./subchannel.js";

/** What a pool works with beside its options. */
export interface PoolDeps extends Omit<SubchannelDeps, "connectTimeoutMs" | "drainMs" | "checkTimeoutMs"> {
  readonly random: Random;
  readonly events: EventHub;
  readonly policy: PickerPolicy;
  /** Makes the breaker of a new endpoint. */
  gateFor(address: string): EndpointGate;
  /** Connections failed: the addresses may be stale. */
  onTrouble(): void;
  onState(word: ConnectivityWord): void;
}

/** One pick's answer: a slot, a reason to fail, or "queue". */
export type PickResult = Slot | PickFailure | "queue";
