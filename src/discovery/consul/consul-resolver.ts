import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import { ListenerGate } from "../listener-gate.js";
import { problemList } from "../problem-list.js";
import type { Resolver, ResolverDeps, ResolverListener } from "../resolver.js";
import type { ConsulTarget } from "../target-kinds.js";
import { BlockingQuery } from "./blocking-query.js";
import type { ConsulAnswer } from "./consul-answer.js";
import { askConsul } from "./consul-question.js";

/**
 * The endpoints of a service in one datacentre of Consul, followed by blocking queries. Failover datacentres are targets
 * of their own (`datacentresOf`).
 */
export class ConsulResolver implements Resolver {
  readonly target: string;
  readonly #gate: ListenerGate;
  readonly #query: BlockingQuery<ConsulAnswer>;
  /** What was said last of entries that are no use. */
  #toldProblem: string | null = null;

  constructor(target: ConsulTarget, deps: ResolverDeps, options: ResolvedDiscoveryOptions) {
    this.target = target.canonical;
    this.#gate = new ListenerGate(target.canonical);
    const listener = {
      onAnswer: (answer: ConsulAnswer) => this.#onAnswer(answer),
      onFailure: (error: Error) => this.#gate.error(error),
    };
    this.#query = new BlockingQuery(askConsul(target, deps, options), listener, deps, options);
  }

  get isWatching(): boolean {
    return this.#query.isWatching;
  }

  start(listener: ResolverListener): void {
    this.#gate.open(listener);
    this.#query.start();
  }

  refresh(): void {
    this.#query.refresh();
  }

  close(): void {
    this.#gate.close();
    this.#query.close();
  }

  /**
   * Entries that are no use are told once, behind the endpoints: before them, calls that wait for the first ones would
   * fail. The endpoints come once more, since a source whose last word is an error counts as stale.
   */
  #onAnswer({ endpoints, problems }: ConsulAnswer): void {
    const problem = problems.length === 0 ? null : problemList(problems);
    const isNews = problem !== null && problem !== this.#toldProblem;
    this.#toldProblem = problem;
    this.#gate.endpoints(endpoints);
    if (!isNews) return;
    this.#gate.error(new Error(`left out of Consul's answer: ${problem}`));
    this.#gate.endpoints(endpoints);
  }
}

export function consulResolver(
  target: ConsulTarget,
  deps: ResolverDeps,
  options: ResolvedDiscoveryOptions,
): Resolver {
  return new ConsulResolver(target, deps, options);
}
