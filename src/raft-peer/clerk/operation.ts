import type { CommandIds, Timer } from "../../core/index.js";
import type { Leader, OperationOptions } from "../clerk-api.js";
import type { KvOperation } from "../kv-messages.js";
import type { LinkFailure } from "../unary-link.js";
import { AttemptLog } from "./attempt-log.js";
import type { ClerkCore } from "./clerk-core.js";
import { sendCommand } from "./kv-calls.js";
import { type Ending, operationError } from "./operation-error.js";
import { classifyReply, type Verdict } from "./reply-classifier.js";
import type { KvServer } from "./server-set.js";
import type { Session } from "./sessions.js";

interface Sent {
  readonly kind: "sent";
  readonly leader: Leader;
  readonly server: KvServer;
  readonly at: number;
  readonly cancel: () => void;
}

/** What one operation is doing. */
type Stage = { readonly kind: "queued" } | { readonly kind: "looking" } | Sent | { readonly kind: "over" };

const QUEUED: Stage = { kind: "queued" };
const LOOKING: Stage = { kind: "looking" };
const OVER: Stage = { kind: "over" };

/** With less time left than a timer can measure an attempt would only make the outcome unknown. */
const SHORTEST_ATTEMPT_MS = 1;

/**
 * One get, put or append, from the call to its end: waits for a session (writes), for a leader, sends, and sends again
 * with the same ids until an answer says what became of it or the time is over.
 */
export class Operation {
  readonly #core: ClerkCore;
  readonly #startedAt: number;
  readonly #deadline: number;
  readonly #log = new AttemptLog();
  readonly #signal: AbortSignal | undefined;
  #stage: Stage = QUEUED;
  #session: Session | null = null;
  #ids: CommandIds | null = null;
  #timer: Timer | null = null;

  constructor(
    core: ClerkCore,
    readonly op: KvOperation,
    private readonly key: string,
    private readonly value: string,
    options: Required<Pick<OperationOptions, "timeoutMs">> & OperationOptions,
    private readonly resolve: (value: string | undefined) => void,
    private readonly reject: (error: Error) => void,
  ) {
    this.#core = core;
    this.#startedAt = core.clock.now();
    this.#deadline = this.#startedAt + options.timeoutMs;
    this.#signal = options.signal;
  }

  /** When the attempt under way was sent; null when there is none. */
  get sentAt(): number | null {
    return this.#stage.kind === "sent" ? this.#stage.at : null;
  }

  start(): void {
    if (this.#signal?.aborted === true) return this.#end({ kind: "aborted", cause: this.#signal.reason });
    this.#signal?.addEventListener("abort", this.#onAbort);
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
    this.#ids = session.nextIds();
    this.#send();
  }

  onLeader(leader: Leader): void {
    this.#send(leader);
  }

  /** It was a question for the status that the servers refused: this operation has not been sent for it. */
  onRefused({ code, reason, details }: LinkFailure): void {
    this.#end({ kind: "refused", code, reason, origin: "remote", processed: "no", details, wasOpen: true });
  }

  /** A newer leader is known: what is under way elsewhere is left and sent there, with the same ids. */
  moveTo(leader: Leader): void {
    const stage = this.#stage;
    if (stage.kind !== "sent") return;
    // The same leader, found again: an answer may still come, and a second copy would bring it no sooner.
    if (leader.term === stage.leader.term && leader.address === stage.leader.address) return;
    const why = `${leader.address} leads in term ${leader.term}`;
    this.#log.left(stage.server.address, stage.at - this.#startedAt, this.#core.clock.now() - stage.at, why);
    this.#leave(stage);
    this.#core.noteRetry(this.op, this.#log.made + 1, leader.address, why);
    this.#send(leader);
  }

  /** Ends it now, because the Clerk is closed. */
  closeDown(): void {
    this.#end({ kind: "closed" });
  }

  #send(leader: Leader | null = this.#core.finder.leader): void {
    const { clock, finder, servers, attemptTimeoutMs } = this.#core;
    const at = clock.now();
    const timeLeftMs = this.#deadline - at;
    if (timeLeftMs < SHORTEST_ATTEMPT_MS) return this.#end({ kind: "late", wait: this.#stage.kind });
    const server = leader === null ? undefined : servers.get(leader.address);
    if (leader === null || server === undefined) {
      if (leader !== null) finder.drop(leader, "it left the set of servers");
      this.#stage = LOOKING;
      this.#waitUntilDeadline();
      finder.wait(this);
      return;
    }
    this.#stopWaiting();
    this.#log.began();
    server.inFlight += 1;
    const command = { key: this.key, value: this.value, op: this.op, ...this.#sentIds };
    const timeoutMs = Math.min(attemptTimeoutMs, Math.ceil(timeLeftMs));
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

  get #sentIds(): CommandIds {
    return this.#ids ?? this.#core.nextReadIds();
  }

  #read(stage: Sent, verdict: Verdict): void {
    if (verdict.kind === "done") {
      this.#core.finder.noteSuccess();
      return this.#settle(true, () => this.resolve(verdict.value));
    }
    const { facts } = verdict;
    const wasOpen = this.#log.processed !== "no";
    const ms = this.#core.clock.now() - stage.at;
    const next =
      verdict.kind === "retry" ? "the leader is looked for anew" : "no other attempt could end otherwise";
    this.#log.failed(stage.server.address, stage.at - this.#startedAt, ms, facts, next);
    if (verdict.kind === "failed") return this.#end({ kind: "refused", ...facts, wasOpen });
    this.#core.finder.drop(stage.leader, facts.details);
    this.#core.noteRetry(this.op, this.#log.made + 1, stage.server.address, facts.details);
    this.#send();
  }

  /** Armed only while nothing is under way: an attempt has its own limit, never later than this. */
  #waitUntilDeadline(): void {
    const { clock } = this.#core;
    this.#timer ??= clock.setTimer(() => this.#onDeadline(), this.#deadline - clock.now(), {
      keepAlive: true,
    });
  }

  #onDeadline(): void {
    this.#timer = null;
    this.#end({ kind: "late", wait: this.#stage.kind });
  }

  readonly #onAbort = (): void => this.#end({ kind: "aborted", cause: this.#signal?.reason });

  #stopWaiting(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#stage.kind === "looking") this.#core.finder.forget(this);
  }

  #leave(stage: Sent): void {
    this.#stage = LOOKING;
    this.#core.attemptEnded(this);
    stage.cancel();
  }

  #end(ending: Ending): void {
    const stage = this.#stage;
    if (stage.kind === "over") return;
    if (stage.kind === "sent") {
      const ms = this.#core.clock.now() - stage.at;
      this.#log.left(stage.server.address, stage.at - this.#startedAt, ms, "the operation ended");
      this.#leave(stage);
    }
    const error = operationError(ending, {
      op: this.op,
      ids: this.#ids,
      log: this.#log,
      elapsedMs: this.#core.clock.now() - this.#startedAt,
      servers: this.#core.servers.size,
      discoveryError: this.#core.discoveryError,
    });
    this.#settle(false, () => this.reject(error));
  }

  #settle(isSuccess: boolean, tell: () => void): void {
    this.#stopWaiting();
    this.#core.sessions.forget(this);
    this.#stage = OVER;
    this.#signal?.removeEventListener("abort", this.#onAbort);
    const session = this.#session;
    this.#session = null;
    this.#core.operationEnded(this, isSuccess);
    tell();
    if (session !== null) this.#core.sessions.giveBack(session);
  }
}
