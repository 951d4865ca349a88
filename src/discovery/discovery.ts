import type { Endpoint, Timer } from "../core/index.js";
import { createResolver } from "./create-resolver.js";
import type { ResolvedDiscoveryOptions } from "./discovery-options.js";
import { areEqual } from "./endpoint-sets.js";
import { GuardedResolver, type RememberedSet } from "./guarded-resolver.js";
import type { HeldLoss } from "./loss-guard.js";
import type { ResolverDeps } from "./resolver.js";
import type { SourceStats } from "./source-stats.js";
import type { ResolvedTarget } from "./target-kinds.js";

/** Who is told what the targets of a channel resolve to. Never called from inside `start`, `refresh` or `close`. */
export interface DiscoveryListener {
  /** The whole set of all targets, different from the last one. An empty one is meant. */
  onEndpoints(endpoints: readonly Endpoint[]): void;
  /** A target could not be resolved; what it gave before is still in the set. */
  onError(error: Error, source: string): void;
  /** An answer would take endpoints away, which stay in the set until it is confirmed. */
  onHeld?(loss: HeldLoss, source: string): void;
  /** Something of an answer is of no use, and left out. */
  onProblem?(problem: string, source: string): void;
  /** A source has answered or failed, and there are no endpoints; `outlook()` says what to expect. May say so again. */
  onNothing?(): void;
}

/** Whether endpoints may still come: said while there are none. */
export interface Outlook {
  /** True while a target has not answered, or has never had endpoints: also while those of another wait for it. */
  readonly isHopeful: boolean;
  /** True where a source failed, false where all say that there are none, or have not spoken. */
  readonly hasFailed: boolean;
  /** What the sources said, for an error. */
  readonly text: string;
}

/** What is kept of the targets while nobody asks them. */
export interface Memory {
  /** Each in its place; null where nothing of it is in use. */
  readonly sets: readonly (RememberedSet | null)[];
  /** Of all of them. */
  readonly published: readonly Endpoint[];
}

interface Source {
  readonly resolver: GuardedResolver;
  /** It is known what to expect of it. */
  isSettled: boolean;
}

/**
 * The endpoints of one target or of several in order of preference. With several, those of a later target have a lower
 * priority, whatever their own, and the first to name an address has it. All are resolved all the time, so that the
 * next one is at hand; but a later one counts only when each before it has answered, has failed, or has been silent for
 * `lookupTimeoutMs`: or every start would begin with a few calls to the last resort.
 */
export class Discovery {
  readonly #sources: readonly Source[];
  #listener: DiscoveryListener | null = null;
  #patience: Timer | null = null;
  /** What the listener has; it is not told of an empty set at the beginning. */
  #published: readonly Endpoint[];

  /** @param remembered of an earlier discovery of the same targets; in use still, so that no target waits for another */
  constructor(
    targets: readonly ResolvedTarget[],
    private readonly deps: ResolverDeps,
    private readonly options: ResolvedDiscoveryOptions,
    remembered: Memory | null = null,
  ) {
    this.#published = remembered?.published ?? [];
    const isSettled = this.#published.length > 0;
    this.#sources = targets.map((target, place) => {
      const set = remembered?.sets[place] ?? null;
      const resolver = new GuardedResolver(createResolver(target, deps, options), options, deps, set);
      return { resolver, isSettled };
    });
  }

  /** For the next discovery of the same targets. */
  get memory(): Memory {
    return { sets: this.#sources.map(({ resolver }) => resolver.memory), published: this.#published };
  }

  /** @throws Error when it was started or closed before. */
  start(listener: DiscoveryListener): void {
    for (const source of this.#sources) {
      const { resolver } = source;
      resolver.start({
        onEndpoints: () => this.#onEndpoints(source),
        onError: (error) => this.#onError(source, error),
        onHeld: (loss) => this.#listener?.onHeld?.(loss, resolver.target),
        onProblem: (problem) => this.#listener?.onProblem?.(problem, resolver.target),
        onAnswer: () => this.#onAnswer(source),
      });
    }
    // Only now: one that was started before has thrown, and keeps its listener.
    this.#listener = listener;
    if (this.#sources.length === 1 || this.#sources.every(({ isSettled }) => isSettled)) return;
    this.#patience = this.deps.clock.setTimer(() => this.#settleAll(), this.options.lookupTimeoutMs);
  }

  refresh(): void {
    for (const { resolver } of this.#sources) resolver.refresh();
  }

  close(): void {
    this.#listener = null;
    this.#patience?.cancel();
    this.#patience = null;
    for (const { resolver } of this.#sources) resolver.close();
  }

  stats(): readonly SourceStats[] {
    return this.#sources.map(({ resolver }) => resolver.stats());
  }

  outlook(): Outlook {
    const said = this.#sources.map(({ resolver }) => resolver.outlook);
    return {
      isHopeful: said.some(({ word }) => word === "waiting"),
      hasFailed: said.some(({ word }) => word === "failed"),
      text: said.map(({ text }) => text).join("; "),
    };
  }

  #onEndpoints(source: Source): void {
    source.isSettled = true;
    this.#publish();
    this.#noteNothing();
  }

  #onAnswer(source: Source): void {
    this.#settle(source);
    this.#noteNothing();
  }

  /** The ones behind it first: nobody is to hear of a failure that they make up for as if nothing were left. */
  #onError(source: Source, error: Error): void {
    this.#settle(source);
    this.#listener?.onError(error, source.resolver.target);
    this.#noteNothing();
  }

  #noteNothing(): void {
    if (this.#published.length === 0) this.#listener?.onNothing?.();
  }

  /** The ones behind it may count now. */
  #settle(source: Source): void {
    if (source.isSettled) return;
    source.isSettled = true;
    this.#publish();
  }

  #settleAll(): void {
    this.#patience = null;
    if (this.#sources.every(({ isSettled }) => isSettled)) return;
    for (const source of this.#sources) source.isSettled = true;
    this.#publish();
  }

  #publish(): void {
    const unsettled = this.#sources.findIndex(({ isSettled }) => !isSettled);
    const counting = unsettled < 0 ? this.#sources : this.#sources.slice(0, unsettled);
    const sets = counting.map(({ resolver }) => resolver.current ?? []);
    const endpoints = this.#sources.length === 1 ? (sets[0] ?? []) : inOrder(sets);
    if (areEqual(this.#published, endpoints)) return;
    this.#published = endpoints;
    this.#listener?.onEndpoints(endpoints);
  }
}

/** One set of several: places in the list come before the endpoints' own priorities, numbered anew without gaps. */
function inOrder(sets: readonly (readonly Endpoint[])[]): readonly Endpoint[] {
  const taken = new Set<string>();
  const merged: Endpoint[] = [];
  let priority = 0;
  for (const set of sets) {
    const fresh = set.filter(({ address }) => !taken.has(address));
    for (const { address } of fresh) taken.add(address);
    const levels = [...new Set(fresh.map(priorityOf))].sort((a, b) => a - b);
    const places = new Map(levels.map((level, place) => [level, priority + place]));
    for (const endpoint of fresh) {
      merged.push({ ...endpoint, priority: places.get(priorityOf(endpoint)) ?? priority });
    }
    priority += levels.length;
  }
  return merged;
}

function priorityOf({ priority = 0 }: Endpoint): number {
  return priority;
}
