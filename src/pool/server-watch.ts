import {
  type CallCredentials,
  type ChannelInterface,
  Metadata,
  status as Status,
  type StatusObject,
} from "@grpc/grpc-js";
import { type Clock, type Random, saidBy, type Timer } from "../core/index.js";
import type { ResolvedReconnectBackoff } from "./pool-options.js";
import { ReconnectBackoff } from "./reconnect-backoff.js";

type InnerCall = ReturnType<ChannelInterface["createCall"]>;

/** A connection as those see it who ask its server about itself. */
export interface WatchedConnection {
  /** @throws when it is closed already; nothing was sent then */
  createCall(method: string, deadlineEpochMs: number, host: string | null | undefined): InnerCall;
  /** True once its socket is gone, or the peer has said goodbye. */
  readonly isLost: boolean;
}

/** What is asked for: a server stream with one request. */
export interface WatchRequest {
  /** `/package.Service/Method`. */
  readonly method: string;
  readonly message: Buffer;
}

/** What watches work with. */
export interface ServerWatchDeps {
  readonly clock: Clock;
  readonly random: Random;
  /** Between the starts of a stream that ends without a message. */
  readonly reconnectBackoff: ResolvedReconnectBackoff;
  /** The channel's, where the connection does not add them by itself; asked at every start. */
  readonly credentials: CallCredentials | null;
}

/** What a watch tells; nothing after its stop, and nothing of an end that the connection's own end explains. */
export interface ServerWatchOwner {
  onMessage(bytes: Buffer): void;
  /** The stream ended, and will be started again. */
  onEnd(status: Pick<StatusObject, "code" | "details">): void;
  /** It was started again; its first message is awaited. */
  onRestart(): void;
  /** The server does not know the method: it is not asked again on this connection. */
  onUnimplemented(): void;
}

type Run = {
  readonly word: "running";
  readonly startedAt: number;
  /** It followed the one before it without a wait. */
  readonly isAtOnce: boolean;
  hasMessage: boolean;
  call: InnerCall | null;
};
type State = Run | { readonly word: "waiting"; readonly timer: Timer } | { readonly word: "over" };

/**
 * One endless server stream on one connection, begun again whenever it ends (gRFC A17). It has no deadline and is no
 * call of the user's: nothing counts it, and a dead peer is found by what finds dead connections.
 */
export class ServerWatch {
  #state: State = { word: "over" };
  /** Its own: what it waits for is not the connection. */
  readonly #backoff: ReconnectBackoff;

  constructor(
    private readonly connection: WatchedConnection,
    private readonly request: WatchRequest,
    private readonly owner: ServerWatchOwner,
    private readonly deps: ServerWatchDeps,
  ) {
    this.#backoff = new ReconnectBackoff(deps.reconnectBackoff, deps.random);
  }

  start(): void {
    this.#run(false);
  }

  /** Ends it now, without waiting for its status. */
  stop(): void {
    const state = this.#state;
    this.#state = { word: "over" };
    if (state.word === "waiting") state.timer.cancel();
    else if (state.word === "running") state.call?.cancelWithStatus(Status.CANCELLED, "no longer watched");
  }

  #run(isAtOnce: boolean): void {
    const run: Run = {
      word: "running",
      startedAt: this.deps.clock.now(),
      isAtOnce,
      hasMessage: false,
      call: null,
    };
    this.#state = run;
    try {
      this.#open(run);
    } catch (error) {
      this.#onStatus(run, { code: Status.INTERNAL, details: saidBy(error) });
    }
  }

  #open(run: Run): void {
    const { method, message } = this.request;
    const { credentials } = this.deps;
    const call = this.connection.createCall(method, Number.POSITIVE_INFINITY, undefined);
    run.call = call;
    if (credentials !== null) call.setCredentials(credentials);
    call.start(new Metadata(), {
      onReceiveMetadata: () => {},
      onReceiveMessage: (bytes: Buffer) => this.#onMessage(run, bytes),
      onReceiveStatus: (status) => this.#onStatus(run, status),
    });
    call.startRead();
    call.sendMessageWithContext({}, message);
    call.halfClose();
  }

  #onMessage(run: Run, bytes: Buffer): void {
    if (this.#state !== run) return;
    run.hasMessage = true;
    this.#backoff.reset();
    this.owner.onMessage(bytes);
    // The owner may have stopped it.
    if (this.#state === run) run.call?.startRead();
  }

  #onStatus(run: Run, status: Pick<StatusObject, "code" | "details">): void {
    if (this.#state !== run) return;
    this.#state = { word: "over" };
    // Whoever owns the connection has been told, and starts another watch elsewhere.
    if (this.connection.isLost) return;
    if (status.code === Status.UNIMPLEMENTED) return this.owner.onUnimplemented();
    this.#restartLater(run);
    this.owner.onEnd(status);
  }

  /**
   * After a message the next start is immediate, the one after it backs off (R84). A stream that lived long follows at
   * once always; one that answers and ends, again and again, is not asked for in a loop.
   */
  #restartLater(ended: Run): void {
    const { clock } = this.deps;
    const { startedAt, hasMessage, isAtOnce } = ended;
    const now = clock.now();
    let at = now;
    if (!hasMessage) at = this.#backoff.afterFailure(startedAt);
    else if (isAtOnce) at = this.#backoff.afterLoss(startedAt);
    const waitMs = Math.max(0, at - now);
    const timer = clock.setTimer(() => this.#restart(waitMs === 0), waitMs);
    this.#state = { word: "waiting", timer };
  }

  #restart(isAtOnce: boolean): void {
    this.#run(isAtOnce);
    // A start that failed has been told already.
    if (this.#state.word === "running") this.owner.onRestart();
  }
}
