import { Breaker, type BreakerDeps, type BreakerSettings } from "../breaker/index.js";
import type { EndpointGate, MethodGates } from "../pool/index.js";

/** The breakers of one endpoint's methods, each made at the first call of its method. */
export class MethodBreakers implements MethodGates {
  readonly #gates = new Map<string, EndpointGate>();

  constructor(
    private readonly options: BreakerSettings,
    private readonly depsFor: (path: string) => BreakerDeps,
  ) {}

  healthy(): void {
    for (const gate of this.#gates.values()) gate.healthy?.();
  }

  known(path: string): EndpointGate | undefined {
    return this.#gates.get(path);
  }

  of(path: string): EndpointGate {
    const known = this.#gates.get(path);
    if (known !== undefined) return known;
    const gate = new Breaker(this.options, this.depsFor(path));
    this.#gates.set(path, gate);
    return gate;
  }
}
