import type { ChannelInterface, connectivityState } from "@grpc/grpc-js";
import {
  Closable,
  type CloseOptions,
  type ConnectivityWord,
  canonicalText,
  Drain,
  type Endpoint,
  type EventListener,
  type Subscription,
} from "../core/index.js";
import { awaitReady, followChannel, type ReadyOptions } from "./await-ready.js";
import type { Backend } from "./backend.js";
import type { CallEnv } from "./call-env.js";
import type { ParentCall } from "./call-limits.js";
import { channelEnv } from "./channel-env.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import type { ChannelStats, EndpointStats } from "./channel-stats.js";
import { assertOpen, CLOSED_DETAILS } from "./closed-channel.js";
import { ConnectivityTracker, stateNumber, stateWord } from "./connectivity.js";
import { createCall } from "./create-call.js";
import { Housekeeping } from "./housekeeping.js";
import type { ResilientCall } from "./resilient-call.js";
import type { KnownMethods } from "./rpc-kind.js";
import { type RunningCall, RunningCalls } from "./running-calls.js";

type ChannelzRef = ReturnType<ChannelInterface["getChannelzRef"]>;

type Shared = "clock" | "policies" | "known" | "failures" | "events" | "throttle" | "budget";

export interface ChannelParts extends Pick<CallEnv, Shared> {
  readonly options: ResolvedChannelOptions;
  makeBackend(onState: (word: ConnectivityWord) => void): Backend;
  /** The channel is gone: what is shared with others is given back. */
  onReleased(): void;
}

/**
 * A drop-in `grpc.Channel` over a pool of endpoints: give it to any stub as `channelOverride`, or use `stubFor`.
 * Does no I/O before the first call.
 */
export class ResilientChannel extends Closable implements ChannelInterface {
  readonly #parts: ChannelParts;
  readonly #backend: Backend;
  readonly #env: CallEnv;
  readonly #tracker: ConnectivityTracker;
  readonly #running = new RunningCalls();
  readonly #housekeeping: Housekeeping;
  #isThrottled = false;
  readonly #drain: Drain;

  constructor(parts: ChannelParts) {
    super();
    this.#parts = parts;
    this.#drain = new Drain(parts.clock);
    const { clock, events, options } = parts;
    this.#tracker = new ConnectivityTracker(clock, (from, to) =>
      events.emit({ type: "channel.state", from, to }),
    );
    this.#backend = parts.makeBackend((word) => this.#tracker.set(word));
    const { verifyAfterIdleMs } = options.suspicion;
    this.#housekeeping = new Housekeeping(clock, options.idleTimeoutMs, verifyAfterIdleMs, {
      isBusy: () => this.#running.size > 0,
      isWatchful: this.#backend.isWatchful,
      onTick: () => this.#backend.tick(),
      onPause: (cause) => this.#backend.verify(cause),
      onIdle: () => this.#backend.enterIdle(),
    });
    this.#env = channelEnv(parts, this.#backend, {
      noteThrottled: (isThrottled) => this.#noteThrottled(isThrottled),
      callStarted: (call) => this.#onCallStarted(call),
      callEnded: (call) => this.#onCallEnded(call),
    });
  }

  /** What is known of the methods that go over this channel. */
  get known(): KnownMethods {
    return this.#parts.known;
  }

  createCall(
    method: string,
    deadline: Date | number,
    host: string | null | undefined,
    parentCall: ParentCall | null,
    propagateFlags: number | null | undefined,
  ): ResilientCall {
    return createCall(this.#env, method, deadline, host, parentCall, propagateFlags);
  }

  /** A call that fails `CLIENT_CLOSED`, for a stub that was closed while the channel lives on. */
  createRefusedCall(method: string, deadline: Date | number, details: string): ResilientCall {
    return createCall({ ...this.#env, closedDetails: details }, method, deadline, null, null, null);
  }

  getTarget(): string {
    return this.#backend.target;
  }

  getConnectivityState(tryToConnect: boolean): connectivityState {
    const { ownChannel } = this.#backend;
    if (this.isClosed) return stateNumber("SHUTDOWN");
    if (ownChannel !== null) return ownChannel.getConnectivityState(tryToConnect);
    if (tryToConnect) this.#connect();
    return stateNumber(this.#tracker.word);
  }

  /** @throws Error when the channel is shut down, as grpc-js does. */
  watchConnectivityState(
    currentState: connectivityState,
    deadline: Date | number,
    callback: (error?: Error) => void,
  ): void {
    const watched = this.isClosed ? null : this.#backend.ownChannel;
    if (watched === null) this.#tracker.watch(currentState, deadline, callback);
    else watched.watchConnectivityState(currentState, deadline, callback);
  }

  /** Holdfast is not registered with grpc-js's channelz; `stats()` has the numbers. */
  getChannelzRef(): ChannelzRef {
    return { kind: "channel" as ChannelzRef["kind"], id: 0, name: this.#backend.target };
  }

  /** Hears every transition and decision, until disposed. A listener that throws changes nothing. */
  onEvent(listener: EventListener): Subscription {
    return this.#parts.events.subscribe(listener);
  }

  /** Replaces the endpoint set from now on: new ones connect, kept ones keep everything, removed ones drain. */
  updateEndpoints(endpoints: readonly (string | Endpoint)[]): void {
    assertOpen(this, "updateEndpoints");
    this.#backend.updateEndpoints(endpoints);
  }

  /**
   * Reconnects at once where a redial is being waited for, because somebody else knows that the server, or the network,
   * is back.
   * @param address the one endpoint to reconnect; all without it
   */
  resetBackoff(address?: string): void {
    this.#backend.resetBackoff(address && canonicalText(address));
  }

  /**
   * Connects now, and waits until calls can be made.
   * @throws ResilienceError `NO_READY_ENDPOINT` after `timeoutMs`, or, with `endpoints: "all"`, as soon as one of them
   *   cannot be connected: it is named, and what was connected is closed again, unless calls run
   */
  ready(options: ReadyOptions = {}): Promise<void> {
    const { ownChannel } = this.#backend;
    return awaitReady(options, {
      clock: this.#parts.clock,
      subscribe: (onChange) =>
        ownChannel === null ? this.#parts.events.subscribe(onChange) : followChannel(ownChannel, onChange),
      connect: () => this.#connect(),
      readiness: () => (this.isClosed ? null : this.#backend.readiness()),
      giveUp: () => {
        if (this.#running.size === 0) this.#backend.enterIdle();
      },
    });
  }

  /**
   * Takes an endpoint out of use by hand, as an open breaker does, until the subscription is disposed. Calls that run
   * there go on.
   * @throws ResilienceError `CONFIG_INVALID` for an address that is known to be no endpoint, or where there are no breakers
   */
  isolate(address: string): Subscription {
    return this.#backend.isolate(canonicalText(address));
  }

  endpoints(): readonly EndpointStats[] {
    return this.#backend.endpoints();
  }

  stats(): ChannelStats {
    const { throttle, budget } = this.#parts;
    return {
      target: this.#backend.target,
      mode: this.#backend.mode,
      state: stateWord(this.getConnectivityState(false)),
      callsInFlight: this.#running.size,
      callsQueued: this.#backend.callsQueued,
      calls: { ...this.#env.counters },
      failures: this.#env.failures.list(),
      throttle: throttle === null ? null : { tokens: throttle.tokens, maxTokens: throttle.maxTokens },
      retryBufferBytes: budget.takenBytes,
      ...{ endpoints: this.endpoints(), discovery: this.#backend.discovery() },
    };
  }

  protected override async onClose({ drainMs = this.#parts.options.drainMs }: CloseOptions): Promise<void> {
    this.#shut();
    const details = `The channel was closed, and ${drainMs} ms of draining are over`;
    if (this.#running.size > 0) await this.#drain.wait(drainMs, () => this.#running.abortAll(details));
    this.#backend.release({ drainMs: 0 });
    this.#release();
  }

  protected override onDestroy(error: Error | undefined): void {
    this.#shut();
    this.#running.abortAll(`The channel was destroyed${error === undefined ? "" : `: ${error.message}`}`);
    this.#backend.destroy();
    this.#release();
    this.#drain.over();
  }

  #shut(): void {
    this.#env.closedDetails = CLOSED_DETAILS;
    this.#tracker.set("SHUTDOWN");
  }

  #release(): void {
    this.#housekeeping.end();
    this.#parts.onReleased();
    this.#parts.onReleased = () => {};
  }

  /** Told once when retries begin to be refused, not for every call of an outage. */
  #noteThrottled(isThrottled: boolean): void {
    const { throttle, events } = this.#parts;
    if (isThrottled && !this.#isThrottled && throttle !== null) {
      events.emit({ type: "throttle.exhausted", tokens: throttle.tokens, maxTokens: throttle.maxTokens });
    }
    this.#isThrottled = isThrottled;
  }

  #onCallStarted(call: RunningCall): void {
    this.#running.add(call);
    if (this.isClosed) return;
    this.#wake();
  }

  #connect(): void {
    this.#wake();
    this.#backend.connectOne();
  }

  #wake(): void {
    const { time } = this.#env;
    this.#backend.wake();
    if (this.isClosed) return;
    this.#housekeeping.wake(time.now, time.epoch);
  }

  #onCallEnded(call: RunningCall): void {
    this.#running.remove(call);
    if (this.#running.size === 0) this.#drain.over();
  }
}
