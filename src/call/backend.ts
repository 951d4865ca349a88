import type { ChannelInterface } from "@grpc/grpc-js";
import type { CloseOptions, Endpoint } from "../core/index.js";
import type { ChannelStats, EndpointStats } from "./channel-stats.js";
import type { CallTransport } from "./transport.js";

/** What stands behind a channel: a pool of our own, or a stub's channel. */
export interface Backend {
  readonly mode: ChannelStats["mode"];
  readonly target: string;
  readonly transport: CallTransport;
  /** The stub's channel whose connectivity stands for ours; null where the backend reports its own. */
  readonly ownChannel: ChannelInterface | null;
  /** Called before each call and each request to connect; cheap when nothing is to do. */
  wake(): void;
  endpoints(): EndpointStats[];
  /** @throws ResilienceError `CONFIG_INVALID` when the set cannot be used, or there is no pool. */
  updateEndpoints(endpoints: readonly (string | Endpoint)[]): void;
  /** Dials at once where a redial is being waited for. */
  resetBackoff(): void;
  /** About once a second while calls run. */
  tick(): void;
  /** No call for a long time. */
  enterIdle(): void;
  release(options: Required<CloseOptions>): void;
  destroy(): void;
}
