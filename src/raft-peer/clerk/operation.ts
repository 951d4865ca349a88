import { AsyncResource } from "node:async_hooks";
import { type CommandIds, onAbort, type Timer } from "../../core/index.js";
import type { Leader } from "../clerk-api.js";
import type { KvOperation } from "../kv-messages.js";
import type { LinkFailure } from "../unary-link.js";
import { AttemptLog } from "./attempt-log.js";
import type { ClerkCore } from "./clerk-core.js";
import { sendCommand } from "./kv-calls.js";
import { type Ending, operationError, refusal } from "./operation-error.js";
import { LOOKING, OVER, PAUSING, QUEUED, type Sent, type Stage } from "./operation-stage.js";
import { classifyReply, type Verdict } from "./reply-classifier.js";
import type { KvServer } from "./server-set.js";
import type { Session } from "./sessions.js";

/** With less time left than a timer can measure an attempt would only make the outcome unknown. */
const SHORTEST_ATTEMPT_MS = 1;

/**
 * One get, put or append, from the call to its end: waits for a session (writes), for a leader, sends, and sends again
 * with the same ids until an answer says what became of it or the time is over. Woken by others, it goes on in the async
 * context of its caller.
 */
export class Operation extends AsyncResource {
  readonly #core: ClerkCore;
  readonly #startedAt: number;
  readonly #deadline: number;
  readonly #log = new AttemptLog();
  #stage: Stage = QUEUED;
  #session: Session | null = null;
  #ids: CommandIds | null = null;
  #timer: Timer | null = null;
  #pauses = 0;

  constructor(
    core: ClerkCore,
    readonly op: KvOperation,
    private readonly key: string,
    private readonly value: string,
    timeoutMs: number,
    private readonly signal: AbortSignal | undefined,
    private readonly resolve: (value: string | undefined) => void,
    private readonly reject: (error: Error) => void,
  ) {
    super("HoldfastOperation");
    this.#core = core;
    this.#startedAt = core.clock.now();
    this.#deadline = this.#startedAt + timeoutMs;
  }

  /** When the attempt under way was sent; null when there is none. */
  get sentAt(): number | null {
    return this.#stage.kind === "sent" ? this.#stage.at : null;
  }

  get sentTo(): KvServer | null {
    return this.#stage.kind === "sent" ? this.#stage.server : null;
  }

  start(): void {
    if (this.signal?.aborted === true) return this.#onAbort();
    if (this.signal != null) this.#unfollow = onAbort(this.signal, this.#onAbort);
    if (this.op === "get") {
      this.#ids = this.#core.nextReadIds();
      return this.#send();
    }
    const session = this.#core.sessions.borrow(this);
    if (session === "full") return this.#end({ kind: "overloaded" });
    if (session === null) this.#waitUntilDeadline();
    else this.onSession(session);
  }

  onSession(session: Session): void {
    this.#session = session;
    // One signal may end many: who is told last must not be sent in between.
    if (this.signal?.aborted === true) return this.#onAbort();
    this.#ids = session.nextIds();
    this.#resume();
  }

  onLeader(): void {
    this.#resume();
  }

  onRefused(failure: LinkFailure): void {
    this.#end(refusal(failure));
  }

  /** A newer leader is known: what is under way elsewhere is left and sent there, with the same ids. */
  moveTo(leader: Leader): void {
    const stage = this.#stage;
    if (stage.kind !== "sent") return;
    // The same leader, found again: an answer may still come, and a second copy would bring it no sooner.
    if (leader.term === stage.leader.term && leader.address === stage.leader.address) return;
    const why = `${leader.address} leads in term ${leader.term}`;
    this.#leave(stage, why);
    this.#core.noteRetry(this.op, this.#log.made + 1, stage.server.address, why);
    this.#resume();
  }

  /** Ends it now, because the Clerk is closed. */
  closeDown(): void {
    this.#end({ kind: "closed" });
  }

  #resume(): void {
    this.runInAsyncScope(() => this.#send());
  }

  #send(): void {
    // Whoever was told of the last attempt may have ended the operation.
    if (this.#isOver) return;
    const { clock, finder, servers, options } = this.#core;
    const at = clock.now();
    const timeLeftMs = this.#deadline - at;
    if (timeLeftMs < SHORTEST_ATTEMPT_MS) return this.#end({ kind: "late", wait: this.#stage.kind });
    const { leader } = finder;
    const server = leader === null ? undefined : servers.get(leader.address);
    if (leader === null || server === undefined) return this.#look();
    this.#stopWaiting();
    this.#log.began();
    server.inFlight += 1;
    const command = { key: this.key, value: this.value, op: this.op, ...(this.#ids as CommandIds) };
    const timeoutMs = Math.min(options.attemptTimeoutMs, Math.ceil(timeLeftMs));
    const cancel = sendCommand(server.link, command, timeoutMs, (result) => {
      servers.ended(server);
      // Whoever left the attempt has written down what became of it.
      if (this.#stage !== stage) return;
      this.#stage = LOOKING;
      this.#core.attemptEnded(this);
      this.#read(stage, classifyReply(this.op, result));
    });
    const stage: Sent = { kind: "sent", leader, server, at, cancel };
    this.#stage = stage;
    this.#core.attemptBegan(this, this.#log.made > 1);
  }

  #look(): void {
    const { finder, options } = this.#core;
    if (this.#log.made === 0 && finder.waiting >= options.maxQueuedOperations)
      return this.#end({ kind: "overloaded" });
    this.#stage = LOOKING;
    this.#waitUntilDeadline();
    finder.wait(this);
  }

  #read(stage: Sent, verdict: Verdict): void {
    const { clock, finder } = this.#core;
    if (verdict.kind === "done") {
      finder.noteSuccess(stage.leader);
      return this.#settle(true, () => this.resolve(verdict.value));
    }
    const { facts } = verdict;
    const wasOpen = this.#log.processed !== "no";
    const now = clock.now();
    const isFailed = verdict.kind === "failed";
    const next = isFailed ? "no other attempt could end otherwise" : "the same command is sent again";
    this.#log.failed(stage.server.address, stage.at - this.#startedAt, now - stage.at, facts, next);
    if (isFailed) {
      if (verdict.blamesServer) finder.drop(stage.leader, facts.details);
      return this.#end({ kind: "refused", ...facts, wasOpen });
    }
    const isLate = this.#deadline - now < SHORTEST_ATTEMPT_MS;
    // A leader that serves others meanwhile is none to look for: this one command is slow, refused, or short of time.
    const isServing = (verdict.isAnswer || isLate) && finder.hasAnsweredSince(stage.leader, stage.at);
    if (!isServing) finder.drop(stage.leader, facts.details);
    if (isLate) return this.#end({ kind: "late", wait: facts.processed === "no" ? "looking" : "sent" });
    this.#core.noteRetry(this.op, this.#log.made + 1, stage.server.address, facts.details);
    if (isServing) this.#pause();
    else this.#send();
  }

  #pause(): void {
    if (this.#isOver) return;
    const { clock, options } = this.#core;
    const { initialIntervalMs, maxIntervalMs } = options.probe;
    const pauseMs = Math.min(initialIntervalMs * 2 ** this.#pauses++, maxIntervalMs);
    const wake = (): void => {
      this.#timer = null;
      this.#resume();
    };
    this.#stage = PAUSING;
    this.#timer = clock.setTimer(wake, Math.min(pauseMs, this.#deadline - clock.now()), { keepAlive: true });
  }

  /** Armed only while nothing is under way: an attempt has its own limit, never later than this. */
  #waitUntilDeadline(): void {
    const { clock } = this.#core;
    const onDeadline = (): void => {
      this.#timer = null;
      this.#end({ kind: "late", wait: this.#stage.kind });
    };
    this.#timer ??= clock.setTimer(onDeadline, this.#deadline - clock.now(), { keepAlive: true });
  }

  #unfollow: (() => void) | null = null;
  readonly #onAbort = (): void => this.#end({ kind: "aborted", cause: this.signal?.reason });

  get #isOver(): boolean {
    return this.#stage.kind === "over";
  }

  #stopWaiting(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#stage.kind === "looking") this.#core.finder.forget(this);
  }

  #leave(stage: Sent, why: string): void {
    const ms = this.#core.clock.now() - stage.at;
    this.#log.left(stage.server.address, stage.at - this.#startedAt, ms, why);
    this.#stage = LOOKING;
    this.#core.attemptEnded(this);
    stage.cancel();
  }

  #end(ending: Ending): void {
    const stage = this.#stage;
    if (stage.kind === "over") return;
    if (stage.kind === "sent") this.#leave(stage, "the operation ended");
    const { clock, servers, discoveryError, finder } = this.#core;
    const error = operationError(ending, {
      op: this.op,
      ids: this.#ids,
      log: this.#log,
      elapsedMs: clock.now() - this.#startedAt,
      servers: servers.size,
      discoveryError,
      lastRound: finder.lastRound,
    });
    this.#settle(false, () => this.reject(error));
  }

  #settle(isSuccess: boolean, tell: () => void): void {
    this.#stopWaiting();
    this.#core.sessions.forget(this);
    this.#stage = OVER;
    this.#unfollow?.();
    const session = this.#session;
    this.#session = null;
    this.#core.operationEnded(this, isSuccess);
    tell();
    if (session !== null) this.#core.sessions.giveBack(session);
  }
}
