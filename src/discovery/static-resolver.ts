import type { Endpoint } from "../core/index.js";
import { ListenerGate } from "./listener-gate.js";
import type { Resolver, ResolverListener } from "./resolver.js";

/** Reports a set that is known beforehand, once. `refresh()` does nothing, as there is nobody to ask. */
export class StaticResolver implements Resolver {
  readonly target: string;
  readonly #endpoints: readonly Endpoint[];
  readonly #gate: ListenerGate;

  constructor(target: string, endpoints: readonly Endpoint[]) {
    this.target = target;
    this.#endpoints = endpoints;
    this.#gate = new ListenerGate(target);
  }

  start(listener: ResolverListener): void {
    this.#gate.open(listener);
    // Later, like every other resolver: a listener called inside its own call to start() would meet itself half made.
    queueMicrotask(() => this.#gate.endpoints(this.#endpoints));
  }

  refresh(): void {}

  close(): void {
    this.#gate.close();
  }
}
