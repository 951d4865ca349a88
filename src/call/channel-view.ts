import { type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import {
  Closable,
  type CloseOptions,
  type Endpoint,
  type EventListener,
  type Subscription,
} from "../core/index.js";
import type { ReadyOptions } from "./await-ready.js";
import type { ParentCall } from "./call-limits.js";
import type { ChannelStats, EndpointStats } from "./channel-stats.js";
import type { ResilientCall } from "./resilient-call.js";
import type { ResilientChannel } from "./resilient-channel.js";

/** Decides what the end of a stub means for its channel. */
export interface ViewOwner {
  close(options: CloseOptions): Promise<void>;
  destroy(error: Error | undefined): void;
}

/**
 * A stub's handle on a channel it may share: grpc-js's `Client.close()` closes the channel it was given, which must
 * not take the other stubs down. Closing the view ends this stub; its owner decides about the channel.
 */
export class ChannelView extends Closable implements ChannelInterface {
  constructor(
    readonly channel: ResilientChannel,
    private readonly owner: ViewOwner,
  ) {
    super();
  }

  createCall(
    method: string,
    deadline: Date | number,
    host: string | null | undefined,
    parentCall: ParentCall | null,
    propagateFlags: number | null | undefined,
  ): ResilientCall {
    if (this.isClosed) return this.channel.createRefusedCall(method, deadline, "The client is closed");
    return this.channel.createCall(method, deadline, host, parentCall, propagateFlags);
  }

  getTarget(): string {
    return this.channel.getTarget();
  }

  getConnectivityState(tryToConnect: boolean): connectivityState {
    if (this.isClosed) return connectivityState.SHUTDOWN;
    return this.channel.getConnectivityState(tryToConnect);
  }

  watchConnectivityState(
    currentState: connectivityState,
    deadline: Date | number,
    callback: (error?: Error) => void,
  ): void {
    if (this.isClosed) throw new Error("Channel has been shut down");
    this.channel.watchConnectivityState(currentState, deadline, callback);
  }

  getChannelzRef(): ReturnType<ChannelInterface["getChannelzRef"]> {
    return this.channel.getChannelzRef();
  }

  onEvent(listener: EventListener): Subscription {
    return this.channel.onEvent(listener);
  }

  updateEndpoints(endpoints: readonly (string | Endpoint)[]): void {
    this.channel.updateEndpoints(endpoints);
  }

  resetBackoff(address?: string): void {
    this.channel.resetBackoff(address);
  }

  ready(options?: ReadyOptions): Promise<void> {
    return this.channel.ready(options);
  }

  isolate(address: string): Subscription {
    return this.channel.isolate(address);
  }

  endpoints(): readonly EndpointStats[] {
    return this.channel.endpoints();
  }

  stats(): ChannelStats {
    return this.channel.stats();
  }

  protected override onClose(options: CloseOptions): Promise<void> {
    return this.owner.close(options);
  }

  protected override onDestroy(error: Error | undefined): void {
    this.owner.destroy(error);
  }
}
