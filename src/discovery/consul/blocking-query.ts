import type { Timer } from "../../core/index.js";
import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import { lookupBackoffMs } from "../lookup-backoff.js";
import type { ResolverDeps } from "../resolver.js";

/** One answer, and the index that the next question waits to be passed; null where it names none that can be used. */
export interface IndexedAnswer<T> {
  readonly value: T;
  readonly index: bigint | null;
}

/** One question. With the index null it is answered at once, otherwise when the index is passed or the wait is over. */
export type Ask<T> = (index: bigint | null, signal: AbortSignal) => Promise<IndexedAnswer<T>>;

export interface BlockingQueryListener<T> {
  onAnswer(value: T): void;
  onFailure(error: Error): void;
}

/** A question that failed, by a server that said when to come again. */
export class AskedToWait extends Error {
  override readonly name = "AskedToWait";

  constructor(
    message: string,
    readonly retryAfterMs: number,
  ) {
    super(message);
  }
}

type State =
  | { readonly kind: "new" }
  | { readonly kind: "asking"; readonly index: bigint | null; readonly abort: AbortController }
  | { readonly kind: "pausing"; readonly timer: Timer }
  | { readonly kind: "closed" };

/** Below this, a server that answers at once would be asked hundreds of times a second. */
const LEAST_INTERVAL_MS = 50;

/**
 * Consul's blocking queries, one at a time: a question without index, then questions that wait for a change. Between the
 * beginnings of two there are at least `minIntervalMs`, whatever the answers are and however fast they come; after a
 * failure also the backoff, or what the server asks for. The index is forgotten when it goes backwards, and after a
 * failure: a server that has lost its state would wait for an index that never comes.
 */
export class BlockingQuery<T> {
  #state: State = { kind: "new" };
  /** What the next question waits for. */
  #index: bigint | null = null;
  #askedAtMs = Number.NEGATIVE_INFINITY;
  #failuresInARow = 0;

  constructor(
    private readonly ask: Ask<T>,
    private readonly listener: BlockingQueryListener<T>,
    private readonly deps: Pick<ResolverDeps, "clock" | "random">,
    private readonly options: Pick<ResolvedDiscoveryOptions, "minIntervalMs">,
  ) {}

  /** True while a question is out that a change would answer. */
  get isWatching(): boolean {
    return this.#state.kind === "asking" && this.#state.index !== null;
  }

  start(): void {
    this.#ask();
  }

  /** The next question is answered at once. Never brings it forward: refreshes come in storms. */
  refresh(): void {
    if (this.#state.kind === "pausing") this.#index = null;
  }

  /** Nothing is reported afterwards; the question that is out is cancelled. */
  close(): void {
    const state = this.#state;
    this.#state = { kind: "closed" };
    if (state.kind === "asking") state.abort.abort();
    if (state.kind === "pausing") state.timer.cancel();
  }

  #ask(): void {
    const state: State = { kind: "asking", index: this.#index, abort: new AbortController() };
    this.#state = state;
    this.#askedAtMs = this.deps.clock.now();
    this.ask(state.index, state.abort.signal).then(
      (answer) => {
        if (this.#state === state) this.#onAnswer(answer);
      },
      (error: Error) => {
        if (this.#state === state) this.#onFailure(error);
      },
    );
  }

  #onAnswer({ value, index }: IndexedAnswer<T>): void {
    this.#failuresInARow = 0;
    this.#index = isNext(index, this.#index) ? index : null;
    this.#askAfter(0);
    this.listener.onAnswer(value);
  }

  #onFailure(error: Error): void {
    this.#failuresInARow++;
    this.#index = null;
    const backoffMs = lookupBackoffMs(this.#failuresInARow, this.deps.random);
    const wantedMs = error instanceof AskedToWait ? error.retryAfterMs : 0;
    this.#askAfter(Math.max(backoffMs, wantedMs));
    this.listener.onFailure(error);
  }

  #askAfter(delayMs: number): void {
    const { clock } = this.deps;
    const paceMs = Math.max(this.options.minIntervalMs, LEAST_INTERVAL_MS);
    const restMs = Math.max(delayMs, this.#askedAtMs + paceMs - clock.now());
    if (restMs <= 0) this.#ask();
    else this.#state = { kind: "pausing", timer: clock.setTimer(() => this.#ask(), restMs) };
  }
}

/** Consul's own rule: an index that is not positive, or lower than the last, means to begin anew. */
function isNext(index: bigint | null, last: bigint | null): index is bigint {
  return index !== null && index > 0n && (last === null || index >= last);
}
