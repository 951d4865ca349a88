import type { ChannelInterface } from "@grpc/grpc-js";
import type { CloseOptions, Endpoint, Subscription } from "../core/index.js";
import type { SourceStats } from "../discovery/index.js";
import type { Readiness } from "../pool/index.js";
import type { ChannelStats, EndpointStats } from "./channel-stats.js";
import type { Compression } from "./compression.js";
import type { CallTransport } from "./transport.js";

/** What stands behind a channel: a pool of our own, or a stub's channel. */
export interface Backend {
  readonly mode: ChannelStats["mode"];
  readonly target: string;
  /** For calls that ask for no compression of their own. */
  readonly transport: CallTransport;
  /** Calls that wait for an endpoint, over whichever transport. */
  readonly callsQueued: number;
  /** The stub's channel whose connectivity stands for ours; null where the backend reports its own. */
  readonly ownChannel: ChannelInterface | null;
  /**
   * Where the attempts of one call go; asked once per call, after `wake()`.
   * @param compression what the call asks for; undefined for the channel's default
   * @param isStream true for a call with a response stream
   * @returns null where that compression cannot be had: over a stub's own channel
   */
  transportFor(compression: Compression | undefined, isStream: boolean): CallTransport | null;
  /** Called before each call and each request to connect; cheap when nothing is to do. */
  wake(): void;
  endpoints(): EndpointStats[];
  /** The sources of the endpoints. */
  discovery(): readonly SourceStats[];
  /** @throws ResilienceError `CONFIG_INVALID` when the set cannot be used, or there is no pool. */
  updateEndpoints(endpoints: readonly (string | Endpoint)[]): void;
  /** Somebody wants to know whether an endpoint can be reached at all. */
  connectOne(): void;
  /** How far the endpoints are that connect without being asked for. */
  readiness(): Readiness;
  /** Dials at once where a redial is being waited for, at one endpoint or at all. */
  resetBackoff(address?: string): void;
  /** True where there is something to look after between calls. */
  readonly isWatchful: boolean;
  /** About once a second while there is something to look after. */
  tick(): void;
  /** See `ResilientChannel.isolate`. */
  isolate(address: string): Subscription;
  /** Time has passed unnoticed: connections are verified before they are used. */
  verify(cause: string): void;
  /** No call for a long time. */
  enterIdle(): void;
  release(options: Required<CloseOptions>): void;
  destroy(): void;
}
