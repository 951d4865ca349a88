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

  constructor(target: ConsulTarget, deps: ResolverDeps, options: ResolvedDiscoveryOptions) {
    this.target = target.canonical;
    this.#gate = new ListenerGate(target.canonical);
    const listener = {
      onAnswer: ({ endpoints, problems }: ConsulAnswer) =>
        this.#gate.endpoints(endpoints, problems.length === 0 ? null : problemList(problems)),
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
}

export function consulResolver(
  target: ConsulTarget,
  deps: ResolverDeps,
  options: ResolvedDiscoveryOptions,
): Resolver {
  return new ConsulResolver(target, deps, options);
}
