import { Breaker, PanicFloor, type ResolvedBreakerOptions } from "../breaker/index.js";
import type { Clock, EventHub, Random } from "../core/index.js";
import { type EndpointGate, openGate } from "../pool/index.js";

/** An endpoint as the panic floor sees it. */
interface FloorMember {
  readonly address: string;
  readonly isReady: boolean;
  readonly gate: EndpointGate;
}

export interface BreakersDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** A breaker changed: calls that wait may go, or need not wait any more. */
  onChange(): void;
  /** All endpoints of the target. */
  members(): readonly FloorMember[];
}

/** The breaker of each endpoint, all under one panic floor: this is where breakers and pool meet. */
export class Breakers {
  readonly #floor: PanicFloor;
  readonly #gates = new Map<string, EndpointGate>();

  constructor(
    private readonly options: ResolvedBreakerOptions | false,
    maxEjectionPercent: number,
    private readonly deps: BreakersDeps,
  ) {
    this.#floor = new PanicFloor(maxEjectionPercent);
  }

  /** One for each address, however many connections lead there. */
  gateFor(address: string): EndpointGate {
    if (this.options === false) return openGate;
    const gate = this.#gates.get(address) ?? this.#newBreaker(address, this.options);
    this.#gates.set(address, gate);
    return gate;
  }

  /** Endpoints that left the set: one that comes back may be another server, and begins anew. */
  forget(addresses: readonly string[]): void {
    for (const address of addresses) this.#gates.delete(address);
  }

  #newBreaker(address: string, options: ResolvedBreakerOptions): Breaker {
    const { clock, random, events } = this.deps;
    return new Breaker(options, {
      clock,
      random,
      mayOpen: () => this.#mayOpen(address),
      onChange: (from, to, retryInMs) => {
        events.emit({
          type: "breaker.state",
          endpoint: address,
          from,
          to,
          ...(retryInMs === undefined ? {} : { retryInMs: Math.round(retryInMs) }),
        });
        this.deps.onChange();
      },
    });
  }

  /** Endpoints that are simply not READY take nothing from the floor: nobody is sent there anyway. */
  #mayOpen(address: string): boolean {
    const members = this.deps.members();
    const out = members.filter(
      (member) => member.address !== address && member.isReady && member.gate.state !== "closed",
    );
    return this.#floor.allows(members.length, out.length);
  }
}
