import type { ConnectivityWord, Endpoint } from "../core/index.js";
import type { Incident } from "./slot.js";
import type { Standing } from "./standing.js";

/** A subchannel as its owner hears of it. */
export interface SubchannelView {
  readonly endpoint: Endpoint;
  readonly standing: Standing;
  readonly retryInMs: number | null;
}

/** What a subchannel tells the pool. */
export interface SubchannelOwner<View extends SubchannelView = SubchannelView> {
  onState(subchannel: View, from: ConnectivityWord, to: ConnectivityWord, cause?: string): void;
  /** @param isSpare true while the endpoint has another connection, so that nothing speaks against it */
  onDialFailed(subchannel: View, error: string, isSpare: boolean): void;
  onLost(subchannel: View, cause: string, callsInFlight: number, incident: Incident): void;
  onDraining(subchannel: View, cause: string): void;
  onSuspicion(subchannel: View, change: SuspicionChange): void;
  /** The peer ended a connection in an orderly way, so many ms after it came up. */
  onEndedByPeer(livedMs: number): void;
  /** What it is worth to a picker may have changed, though its state is the same. */
  onStanding(subchannel: View): void;
  /** There is room for another call. */
  onRoom(): void;
}

/** The events of a suspicion, less the endpoint's name. */
export type SuspicionChange =
  | { readonly type: "connection.suspect"; readonly cause: string }
  | { readonly type: "connection.verified"; readonly by: "bytes" | "health" | "dial" }
  | { readonly type: "connection.dead"; readonly callsEnded: number };
