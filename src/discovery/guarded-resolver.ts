import type { Endpoint, Timer } from "../core/index.js";
import { ChangeGatherer } from "./change-gatherer.js";
import type { ResolvedDiscoveryOptions } from "./discovery-options.js";
import { areEqual, eachOnce, isRepeated } from "./endpoint-sets.js";
import { ListenerGate } from "./listener-gate.js";
import { type HeldLoss, LossGuard } from "./loss-guard.js";
import type { Resolver, ResolverDeps, ResolverListener } from "./resolver.js";
import type { SourceStats } from "./source-stats.js";

/** Who also hears of what is not believed yet. */
export interface GuardedListener extends ResolverListener {
  /** A loss is held back that was not before. */
  onHeld?(loss: HeldLoss): void;
  /** Something of an answer is of no use that was not before. */
  onProblem?(problem: string): void;
  /** An answer is in; what it brought has been reported. */
  onAnswer?(): void;
}

/** What is kept of a source while nobody asks it. */
export interface RememberedSet {
  /** At least one. */
  readonly endpoints: readonly Endpoint[];
  /** Since when the source has not vouched for them; monotonic ms. */
  readonly sinceMs: number;
}

/** What a source has to say of its endpoints. */
export interface SourceOutlook {
  /** `waiting` for a first set, `found` where one is in use, `failed` or `empty` where there is none. */
  readonly word: "waiting" | "found" | "failed" | "empty";
  readonly text: string;
}

/**
 * A resolver behind the guards that all sources share: the last good set is kept, losses have to be confirmed, equal
 * answers cause nothing, each address counts once. An empty set that it reports is meant: after `emptyGraceMs`, or because
 * the source has been silent for `maxStaleMs`. An empty first answer is not reported at all.
 */
export class GuardedResolver implements Resolver {
  readonly target: string;
  readonly #gate: ListenerGate;
  readonly #losses: LossGuard;
  /** In use; null before the first set. */
  #current: readonly Endpoint[] | null;
  #newest: readonly Endpoint[] = [];
  readonly #gatherer: ChangeGatherer;
  #listener: GuardedListener | null = null;
  #answers = 0;
  #failures = 0;
  #answeredAt: number | null = null;
  #staleSince: number | null = null;
  /** Since when it has not vouched for the set, in monotonic ms; null while it does. */
  #unheardSinceMs: number | null;
  #expiry: Timer | null = null;
  /** What of the newest answer is of no use. */
  #problem: string | null = null;
  #lastError: { readonly text: string; readonly at: number } | null = null;

  /** @param remembered of an earlier resolver of the target; in use still */
  constructor(
    private readonly inner: Resolver,
    private readonly options: ResolvedDiscoveryOptions,
    private readonly deps: Pick<ResolverDeps, "clock">,
    remembered: RememberedSet | null = null,
  ) {
    this.target = inner.target;
    this.#current = remembered?.endpoints ?? null;
    this.#unheardSinceMs = remembered?.sinceMs ?? null;
    this.#gate = new ListenerGate(inner.target);
    this.#gatherer = new ChangeGatherer(deps.clock, () => this.#take());
    this.#losses = new LossGuard(options, deps.clock, (isSilent) => this.#onLossDue(isSilent));
  }

  get isWatching(): boolean {
    return this.inner.isWatching ?? false;
  }

  /** In use; null before the first set. */
  get current(): readonly Endpoint[] | null {
    return this.#current;
  }

  /** For the next resolver of the target; null when nothing is in use. */
  get memory(): RememberedSet | null {
    if (this.#current === null || this.#current.length === 0) return null;
    return { endpoints: this.#current, sinceMs: this.#unheardSinceMs ?? this.deps.clock.now() };
  }

  get outlook(): SourceOutlook {
    const { target } = this;
    const found = this.#current?.length ?? 0;
    if (found > 0) return { word: "found", text: `${target} has ${found} endpoint${found === 1 ? "" : "s"}` };
    if (this.#staleSince !== null) return { word: "failed", text: `${target}: ${this.#lastError?.text}` };
    if (this.#answers === 0) return { word: "waiting", text: `${target} has not answered yet` };
    const why = this.#problem === null ? "" : `: ${this.#problem}`;
    const text = `${target} has answered without endpoints${why}`;
    // The first time it may only not know them yet.
    return { word: this.#current === null ? "waiting" : "empty", text };
  }

  start(listener: GuardedListener): void {
    this.#gate.open(listener);
    this.#listener = listener;
    this.inner.start({
      onEndpoints: (endpoints, problem = null) => this.#onAnswer(endpoints, problem),
      onError: (error) => this.#onError(error),
    });
  }

  refresh(): void {
    this.inner.refresh();
  }

  close(): void {
    this.#gate.close();
    this.#listener = null;
    this.#losses.release();
    this.#expiry?.cancel();
    this.#expiry = null;
    this.#gatherer.cancel();
    this.inner.close();
  }

  stats(): SourceStats {
    const held = this.#losses.held;
    return {
      source: this.target,
      endpoints: this.#current?.length ?? 0,
      answers: this.#answers,
      failures: this.#failures,
      answeredAt: iso(this.#answeredAt),
      staleSince: iso(this.#staleSince),
      lastError:
        this.#lastError === null
          ? null
          : { text: this.#lastError.text, at: new Date(this.#lastError.at).toISOString() },
      problem: this.#problem,
      held:
        held === null
          ? null
          : { why: held.why, endpoints: held.lost.length, since: new Date(held.since).toISOString() },
    };
  }

  #onAnswer(endpoints: readonly Endpoint[], problem: string | null): void {
    if (!this.#gate.isOpen) return;
    this.#answers++;
    this.#answeredAt = this.deps.clock.epoch();
    this.#staleSince = null;
    this.#unheardSinceMs = null;
    this.#expiry?.cancel();
    this.#expiry = null;
    const known = this.#current ?? [];
    this.#newest = isRepeated(known, endpoints) ? known : eachOnce(endpoints);
    const isNews = problem !== null && problem !== this.#problem;
    this.#problem = problem;
    this.#losses.noteAnswer();
    this.#gatherer.takeSoon(known.length);
    if (isNews) this.#listener?.onProblem?.(problem);
    this.#listener?.onAnswer?.();
  }

  #take(): void {
    if (this.#current === null) {
      if (this.#newest.length > 0) this.#report(this.#newest);
      return;
    }
    const before = this.#losses.held;
    const next = this.#losses.judge(this.#current, this.#newest);
    const { held } = this.#losses;
    this.#report(next);
    if (held !== null && held !== before && this.#losses.held === held) this.#listener?.onHeld?.(held);
  }

  #onError(error: Error): void {
    if (!this.#gate.isOpen) return;
    // In their order: what the source said before it failed counts.
    this.#gatherer.takeNow();
    if (!this.#gate.isOpen) return;
    const { clock } = this.deps;
    this.#failures++;
    this.#lastError = { text: error.message, at: clock.epoch() };
    this.#losses.noteFailure();
    if (this.#staleSince === null) {
      this.#staleSince = clock.epoch();
      this.#unheardSinceMs ??= clock.now();
      this.#limitStaleness(this.#unheardSinceMs);
    }
    this.#gate.error(error);
  }

  #limitStaleness(sinceMs: number): void {
    const { maxStaleMs } = this.options;
    if (maxStaleMs === null) return;
    const { clock } = this.deps;
    this.#expiry = clock.setTimer(() => this.#expire(maxStaleMs), sinceMs + maxStaleMs - clock.now());
  }

  /**
   * The source has stuck to a loss long enough. One that would have told otherwise is believed, another is asked again; one
   * that says nothing to that, as somebody's own may who only pushes, has nothing to say against it.
   */
  #onLossDue(isSilent: boolean): void {
    if (isSilent || this.isWatching) this.#take();
    else this.inner.refresh();
  }

  #expire(maxStaleMs: number): void {
    this.#expiry = null;
    if (this.#current === null || this.#current.length === 0) return;
    this.#losses.release();
    this.#report([]);
    this.#gate.error(
      new Error(
        `no answer for ${maxStaleMs} ms (discovery.maxStaleMs), so its endpoints are not used any more`,
      ),
    );
  }

  #report(next: readonly Endpoint[]): void {
    if (this.#current !== null && areEqual(this.#current, next)) return;
    // Before the call: the listener may close us, or throw.
    this.#current = next;
    this.#gatherer.noteChange();
    this.#gate.endpoints(next);
  }
}

function iso(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString();
}
