import { EventHub, type Subscription, saidBy, type Timer } from "../core/index.js";
import { lookupBackoffMs } from "./lookup-backoff.js";
import type {
  Registrar,
  RegistrarDeps,
  Registration,
  RegistrationEvent,
  RegistrationStats,
  ServiceHealth,
  ServiceStatus,
} from "./registration.js";
import { bounded } from "./registration-bound.js";
import { closedError, healthOf, unreachableError } from "./registration-errors.js";

/** However short a TTL is, a broken registry is asked no more than once a second. */
const MIN_RETRY_MS = 1_000;
const JITTER_RATIO = 0.1;

/**
 * Puts a service in and keeps it there: one step at a time, each of which registers the service where the registry does not
 * have it, and says that it lives where it has. Steps that fail are repeated with backoff, for ever. Its timers do not keep
 * the process alive.
 */
export class KeptRegistration implements Registration {
  readonly #events = new EventHub<RegistrationEvent>();
  readonly #stop = new AbortController();
  #word: RegistrationStats["state"] = "registering";
  #since: number;
  /** As far as is known, the registry has it. */
  #isIn = false;
  #health: ServiceHealth = { status: "passing", note: "" };
  #timer: Timer | null = null;
  /** The step asked for last; never rejects. */
  #lastStep: Promise<unknown> = Promise.resolve();
  /** The one of them that has not begun. */
  #nextStep: Promise<Error | null> | null = null;
  #answeredAt: number | null = null;
  #registrations = 0;
  #failures = 0;
  #failuresInARow = 0;
  #lastError: RegistrationStats["lastError"] = null;
  #closing: Promise<void> | null = null;

  // Hidden from whoever prints this object, which would print the token of the registry.
  readonly #registrar: Registrar;
  readonly #deps: Pick<RegistrarDeps, "clock" | "random">;
  readonly #closeMs: number;

  /** @param closeMs how long `close()` may take */
  constructor(registrar: Registrar, deps: Pick<RegistrarDeps, "clock" | "random">, closeMs: number) {
    this.#registrar = registrar;
    this.#deps = deps;
    this.#closeMs = closeMs;
    this.#since = deps.clock.epoch();
  }

  get target(): string {
    return this.#registrar.target;
  }

  get id(): string {
    return this.#registrar.id;
  }

  /** Does the first step. @returns what went wrong; it goes on all the same */
  start(): Promise<Error | null> {
    return this.#awaited(this.#step());
  }

  /** Ends it without a word to the registry, which refused it: what stands there is somebody else's. */
  abandon(): void {
    this.#turn("closed");
    this.#closing = Promise.resolve();
    this.#timer?.cancel();
    this.#registrar.release();
  }

  stats(): RegistrationStats {
    return {
      target: this.target,
      id: this.id,
      state: this.#word,
      since: iso(this.#since),
      answeredAt: this.#answeredAt === null ? null : iso(this.#answeredAt),
      registrations: this.#registrations,
      failures: this.#failures,
      lastError: this.#lastError,
    };
  }

  onEvent(listener: (event: RegistrationEvent) => void): Subscription {
    return this.#events.subscribe(listener);
  }

  async setStatus(status: ServiceStatus, note = ""): Promise<void> {
    const health = healthOf(this.#registrar, status, note);
    if (this.#closing !== null) throw closedError(this.#registrar);
    this.#health = health;
    const error = await this.#awaited(this.#step());
    if (this.#closing !== null) throw closedError(this.#registrar);
    if (error !== null)
      throw unreachableError(`the status of ${this.id} at ${this.target} was not told`, error);
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Requests and timers do not keep the process alive; whoever awaits them does. */
  async #awaited<T>(work: Promise<T>): Promise<T> {
    const hold = this.#deps.clock.setTimer(() => {}, Number.MAX_SAFE_INTEGER, { keepAlive: true });
    try {
      return await work;
    } finally {
      hold.cancel();
    }
  }

  /**
   * The next step at once, or as soon as the one under way is over: the same for all who ask until it begins, as it tells
   * the newest, or a status told each second would queue up at a registry that is silent.
   */
  #step(): Promise<Error | null> {
    if (this.#nextStep !== null) return this.#nextStep;
    const step = this.#lastStep.then(() => this.#take());
    this.#nextStep = step;
    this.#lastStep = step;
    return step;
  }

  async #take(): Promise<Error | null> {
    this.#nextStep = null;
    if (this.#closing !== null) return null;
    this.#timer?.cancel();
    this.#timer = null;
    try {
      await this.#tell();
    } catch (error) {
      return this.#onFailure(error);
    }
    this.#failuresInARow = 0;
    this.#answeredAt = this.#deps.clock.epoch();
    this.#turn("registered");
    this.#stepAfter(this.#registrar.keepEveryMs * this.#jitter());
    return null;
  }

  async #tell(): Promise<void> {
    const registrar = this.#registrar;
    const { signal } = this.#stop;
    if (this.#isIn) {
      if (await registrar.keep(this.#health, signal)) return;
      this.#isIn = false;
      this.#events.emit({ type: "forgotten" });
    }
    await registrar.register(this.#health, signal);
    this.#isIn = true;
    this.#registrations++;
    this.#events.emit({ type: "registered", registrations: this.#registrations });
  }

  #onFailure(cause: unknown): Error {
    const error = cause instanceof Error ? cause : new Error(saidBy(cause));
    if (this.#closing !== null) return error;
    this.#failures++;
    this.#failuresInARow++;
    this.#lastError = { text: error.message, at: iso(this.#deps.clock.epoch()) };
    this.#turn("failing");
    // Never later than the next step would have been: the TTL does not wait.
    const backoffMs = lookupBackoffMs(this.#failuresInARow, this.#deps.random);
    const retryInMs = Math.min(
      backoffMs,
      Math.max(this.#registrar.keepEveryMs, MIN_RETRY_MS) * this.#jitter(),
    );
    this.#stepAfter(retryInMs);
    this.#events.emit({ type: "failed", error, retryInMs });
    return error;
  }

  #stepAfter(delayMs: number): void {
    if (this.#closing !== null) return;
    this.#timer = this.#deps.clock.setTimer(() => void this.#step(), delayMs);
  }

  #turn(word: RegistrationStats["state"]): void {
    if (this.#word === word || this.#closing !== null) return;
    this.#word = word;
    this.#since = this.#deps.clock.epoch();
  }

  #jitter(): number {
    return 1 - JITTER_RATIO + 2 * JITTER_RATIO * this.#deps.random.next();
  }

  async #end(): Promise<void> {
    this.#turn("closed");
    this.#timer?.cancel();
    const { clock } = this.#deps;
    const startedAt = clock.now();
    // A registration that is under way could arrive after its own end, and stay.
    await bounded(
      clock,
      this.#closeMs / 2,
      "the step under way",
      async () => void (await this.#lastStep),
    ).catch(() => this.#stop.abort());
    const leftMs = this.#closeMs - (clock.now() - startedAt);
    const error = await bounded(clock, leftMs, "the deregistration", (signal) =>
      this.#registrar.deregister(signal),
    ).then(
      () => null,
      (cause: unknown) => (cause instanceof Error ? cause : new Error(saidBy(cause))),
    );
    this.#stop.abort();
    this.#registrar.release();
    this.#events.emit({ type: "closed", error });
  }
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}
