import { HealthCheckRequest } from "../gen/grpc/health/v1/health.js";
import { type CheckAnswer, checkHealth } from "./health-check.js";
import { HealthRhythm } from "./health-rhythm.js";
import type { HealthSource, HealthSourceOwner } from "./health-source.js";
import { SERVING, UNKNOWN, verdictOfCheck, verdictOfMessage, verdictOfWatchEnd } from "./health-verdict.js";
import {
  ServerWatch,
  type ServerWatchDeps,
  type ServerWatchOwner,
  type WatchedConnection,
} from "./server-watch.js";

const WATCH_METHOD = "/grpc.health.v1.Health/Watch";

/** Whom to ask, and how. */
export interface HealthQuestion {
  readonly serviceName: string;
  readonly useWatch: boolean;
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

type State =
  | { readonly word: "watching"; readonly watch: ServerWatch }
  | { readonly word: "checking"; readonly rhythm: HealthRhythm; cancel: (() => void) | null }
  /** Stopped, or the server has no health service: it is not asked again. */
  | { readonly word: "over" };

/**
 * What `grpc.health.v1` says over one connection: a Watch (R81); where the server has none, Checks in intervals; where
 * it has no health service at all it counts as serving (R83).
 */
export class ConnectionHealth implements HealthSource, ServerWatchOwner {
  #state: State = { word: "over" };

  constructor(
    private readonly connection: WatchedConnection,
    private readonly question: HealthQuestion,
    private readonly owner: HealthSourceOwner,
    private readonly deps: ServerWatchDeps,
  ) {}

  start(): void {
    if (!this.question.useWatch) return this.#checkFromNowOn();
    const message = Buffer.from(HealthCheckRequest.encode({ service: this.question.serviceName }).finish());
    const watch = new ServerWatch(this.connection, { method: WATCH_METHOD, message }, this, this.deps);
    this.#state = { word: "watching", watch };
    watch.start();
  }

  stop(): void {
    const state = this.#state;
    this.#state = { word: "over" };
    if (state.word === "watching") state.watch.stop();
    else if (state.word === "checking") state.cancel?.();
  }

  tick(now: number): void {
    const state = this.#state;
    if (state.word !== "checking" || state.cancel !== null || this.connection.isLost) return;
    if (!state.rhythm.isDue(now)) return;
    let isAnswered = false;
    const deadline = this.deps.clock.epoch() + this.question.timeoutMs;
    const { serviceName } = this.question;
    const cancel = checkHealth(this.connection, serviceName, deadline, this.deps.credentials, (answer) => {
      isAnswered = true;
      state.cancel = null;
      this.#onAnswer(answer);
    });
    if (!isAnswered) state.cancel = cancel;
  }

  // The Watch's news

  onMessage(bytes: Buffer): void {
    this.owner.onVerdict(verdictOfMessage(bytes));
  }

  onEnd(status: Parameters<ServerWatchOwner["onEnd"]>[0]): void {
    this.owner.onVerdict(verdictOfWatchEnd(status));
  }

  onRestart(): void {
    this.owner.onVerdict(UNKNOWN);
  }

  onUnimplemented(): void {
    this.#checkFromNowOn();
  }

  #checkFromNowOn(): void {
    const { clock, random } = this.deps;
    const rhythm = new HealthRhythm(this.question.intervalMs, random);
    this.#state = { word: "checking", rhythm, cancel: null };
    this.tick(clock.now());
  }

  #onAnswer(answer: CheckAnswer): void {
    // What is asked over it now says nothing of the connection that follows.
    if (this.connection.isLost) return;
    const verdict = verdictOfCheck(answer);
    if (verdict !== null) return this.owner.onVerdict(verdict);
    this.#state = { word: "over" };
    this.owner.onVerdict(SERVING);
    this.owner.onUnimplemented();
  }
}
