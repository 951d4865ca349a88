import type { ConnectivityWord, Endpoint } from "../core/index.js";
import type { EndpointGate, Incident } from "./slot.js";

/** A subchannel as its owner hears of it. */
export interface SubchannelView {
  readonly endpoint: Endpoint;
  readonly gate: EndpointGate;
  readonly retryInMs: number | null;
}

/** What a subchannel tells the pool. */
export interface SubchannelOwner {
  onState(subchannel: SubchannelView, from: ConnectivityWord, to: ConnectivityWord, cause?: string): void;
  onDialFailed(subchannel: SubchannelView, error: string): void;
  onLost(subchannel: SubchannelView, cause: string, callsInFlight: number, incident: Incident): void;
  onDraining(subchannel: SubchannelView, cause: string): void;
  onSuspicion(subchannel: SubchannelView, change: SuspicionChange): void;
  /** There is room for another call. */
  onRoom(): void;
}

/** The events of a suspicion, less the endpoint's name. */
export type SuspicionChange =
  | { readonly type: "connection.suspect"; readonly cause: string }
  | { readonly type: "connection.verified"; readonly by: "bytes" | "health" | "dial" }
  | { readonly type: "connection.dead"; readonly callsEnded: number };
