import { onAbort, type ResilienceError, type Timer } from "../../core/index.js";
import type { Leader, OperationOptions } from "../clerk-api.js";
import type { LinkFailure } from "../unary-link.js";
import { AttemptLog } from "./attempt-log.js";
import type { ClerkCore } from "./clerk-core.js";
import { type Ending, operationError, refusal } from "./operation-error.js";

/** Somebody asked for the leader while none was known. */
export class LeaderRequest {
  readonly #startedAt: number;
  #timer: Timer | null;

  constructor(
    private readonly core: ClerkCore,
    timeoutMs: number,
    private readonly signal: OperationOptions["signal"],
    private readonly resolve: (leader: Leader) => void,
    private readonly reject: (error: ResilienceError) => void,
  ) {
    const { clock } = core;
    this.#startedAt = clock.now();
    const onDeadline = (): void => this.#end({ kind: "late", wait: "looking" });
    this.#timer = clock.setTimer(onDeadline, timeoutMs, { keepAlive: true });
  }

  start(): void {
    if (this.signal?.aborted === true) return this.#onAbort();
    if (this.signal != null) this.#unfollow = onAbort(this.signal, this.#onAbort);
    this.core.finder.wait(this);
  }

  onLeader(leader: Leader): void {
    this.#settle();
    this.resolve(leader);
  }

  onRefused(failure: LinkFailure): void {
    this.#end(refusal(failure));
  }

  closeDown(): void {
    this.#end({ kind: "closed" });
  }

  #unfollow: (() => void) | null = null;
  readonly #onAbort = (): void => this.#end({ kind: "aborted", cause: this.signal?.reason });

  #end(ending: Ending): void {
    if (this.#timer === null) return;
    this.#settle();
    const { core } = this;
    this.reject(
      operationError(ending, {
        op: "leader",
        ids: null,
        log: new AttemptLog(),
        elapsedMs: core.clock.now() - this.#startedAt,
        servers: core.servers.size,
        discoveryError: core.discoveryError,
        lastRound: core.finder.lastRound,
      }),
    );
  }

  #settle(): void {
    this.#timer?.cancel();
    this.#timer = null;
    this.core.finder.forget(this);
    this.#unfollow?.();
    this.core.requestEnded(this);
  }
}
