import type { ConnectivityWord, EventHub } from "../core/index.js";
import type { KeeperDeps } from "./dialled-connections.js";
import type { PickFailure } from "./pick-failure.js";
import type { PickerPolicy } from "./pickers/index.js";
import type { ResolvedPoolOptions } from "./pool-options.js";
import type { Slot } from "./slot.js";
import type { Standing } from "./standing.js";

/** What a pool works with beside its options. */
export interface PoolDeps extends Omit<KeeperDeps, keyof ResolvedPoolOptions | "checkTimeoutMs"> {
  readonly events: Pick<EventHub, "emit">;
  readonly policy: PickerPolicy;
  /** What is known of an endpoint, which all pools of the target share. */
  standingFor(address: string): Standing;
  /**
   * True while the endpoint is READY in another pool of the target: then a dial that failed, or a connection that was
   * lost, is no evidence against it. Absent where there is no other pool.
   */
  isReadyElsewhere?(address: string): boolean;
  /** Connections failed: the addresses may be stale. */
  onTrouble(): void;
  /** Why no endpoints are known, as the sentence a call fails with that waited for one. */
  whyEmpty?(): string;
  onState(word: ConnectivityWord): void;
  /** A peer ended a connection in an orderly way, so many ms after it came up. */
  onEndedByPeer?(livedMs: number): void;
}

/** One pick's answer: a slot, a reason to fail, or "queue". */
export type PickResult = Slot | PickFailure | "queue";
