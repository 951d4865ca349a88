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
      onAnswer: ({ endpoints, problems }: ConsulAnswer) => {
        const told = endpoints.length === 0 ? [...problems, whyNone(target)] : problems;
        this.#gate.endpoints(endpoints, told.length === 0 ? null : problemList(told));
      },
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

/** Consul says no more than an empty list, whatever is wrong; a misspelled name is what it mostly is. */
function whyNone({ service, tags, isPassingOnly }: ConsulTarget): string {
  const tagged = tags.length === 0 ? "" : ` with ${tags.map((tag) => JSON.stringify(tag)).join(" and ")}`;
  const state = isPassingOnly ? "passes its checks" : "is free of critical checks";
  return `no instance of ${JSON.stringify(service)}${tagged} ${state}, or Consul does not know it, or the token may not read it`;
}

export function consulResolver(
  target: ConsulTarget,
  deps: ResolverDeps,
  options: ResolvedDiscoveryOptions,
): Resolver {
  return new ConsulResolver(target, deps, options);
}
