import type { Endpoint, Timer } from "../core/index.js";
import { createResolver } from "./create-resolver.js";
import type { ResolvedDiscoveryOptions } from "./discovery-options.js";
import { GuardedResolver } from "./guarded-resolver.js";
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
}

/** Whether endpoints may still come: said while there are none. */
export interface Outlook {
  /** True while a target has not answered, or answered without endpoints only just now. */
  readonly isHopeful: boolean;
  /** True where a source failed, false where all say that there are none. */
  readonly hasFailed: boolean;
  /** What the sources said, for an error. */
  readonly text: string;
}

/** What the targets have given last, each in its place; null where nothing came. */
export type Memory = readonly (readonly Endpoint[] | null)[];

interface Source {
  readonly resolver: GuardedResolver;
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
  #hasPublished = false;

  constructor(
    targets: readonly ResolvedTarget[],
    private readonly deps: ResolverDeps,
    private readonly options: ResolvedDiscoveryOptions,
    remembered: Memory | null = null,
  ) {
    this.#sources = targets.map((target, place) => ({
      resolver: new GuardedResolver(
        createResolver(target, deps, options),
        options,
        deps,
        remembered?.[place] ?? null,
      ),
      isSettled: false,
    }));
    this.#hasPublished = remembered?.some((endpoints) => endpoints !== null) ?? false;
  }

  /** What each target has given, for the next discovery of the same targets. */
  get memory(): Memory {
    return this.#sources.map(({ resolver }) => resolver.current);
  }

  /** @throws Error when it was started or closed before. */
  start(listener: DiscoveryListener): void {
    this.#listener = listener;
    for (const source of this.#sources) {
      const { resolver } = source;
      resolver.start({
        onEndpoints: () => this.#onEndpoints(source),
        onError: (error) => this.#onError(source, error),
        onHeld: (loss) => this.#listener?.onHeld?.(loss, resolver.target),
        onFirstAnswer: () => this.#settle(source),
      });
    }
    if (this.#sources.length === 1) return;
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
  }

  #onError(source: Source, error: Error): void {
    this.#listener?.onError(error, source.resolver.target);
    this.#settle(source);
  }

  /** It is known what to expect of the source: the ones behind it may count. */
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
    const endpoints = inOrder(counting.map(({ resolver }) => resolver.current ?? []));
    if (endpoints.length === 0 && !this.#hasPublished) return;
    this.#hasPublished = true;
    this.#listener?.onEndpoints(endpoints);
  }
}

/** One set of several: places in the list come before the endpoints' own priorities, numbered anew without gaps. */
function inOrder(sets: readonly (readonly Endpoint[])[]): readonly Endpoint[] {
  const [only = []] = sets;
  if (sets.length <= 1) return only;
  const taken = new Set<string>();
  const merged: Endpoint[] = [];
  let priority = 0;
  for (const set of sets) {
    const fresh = set.filter(({ address }) => !taken.has(address));
    for (const { address } of fresh) taken.add(address);
    const levels = [...new Set(fresh.map((endpoint) => endpoint.priority ?? 0))].sort((a, b) => a - b);
    for (const endpoint of fresh) {
      merged.push({ ...endpoint, priority: priority + levels.indexOf(endpoint.priority ?? 0) });
    }
    priority += levels.length;
  }
  return merged;
}
