import type { AsyncResource } from "node:async_hooks";
import type { ChannelCredentials } from "@grpc/grpc-js";
import type { Clock, HostLookup } from "../core/index.js";
import type { InnerChannelFactory } from "./inner-channel.js";

/** What every connection of a target shares. */
export interface ConnectionDeps {
  readonly clock: Clock;
  /** Those for the next dial: they change when certificates are renewed. */
  readonly credentials: () => ChannelCredentials;
  readonly makeChannel: InnerChannelFactory;
  readonly lookup: HostLookup;
  readonly connectTimeoutMs: number;
  readonly drainMs: number;
  /** Calls after which a connection is replaced, before HTTP/2 runs out of stream ids. */
  readonly maxCallsPerConnection: number;
  /** True where streams of our own run beside the calls: of health, or of load. */
  readonly isWatched: boolean;
  /** True where nobody waits for what runs here: then neither connections nor calls keep the process alive. */
  readonly isBackground?: boolean | undefined;
  /** Async context of the channel, so that a connection does not hold the context of the call that opened it. */
  readonly context: AsyncResource;
}
