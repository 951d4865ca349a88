import { Breaker, PanicFloor, type ResolvedBreakerOptions } from "../breaker/index.js";
import type { Clock, EventHub, Random } from "../core/index.js";
import { type EndpointGate, openGate, Standing } from "../pool/index.js";

export interface StandingsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** An endpoint came into use or went out of it: calls that wait may go, or need not wait any more. */
  onChange(address: string): void;
  /** Endpoints of the target. */
  total(): number;
  /** Endpoints that are READY and yet out of use, but for this one: merely not READY takes nothing from the floor. */
  countOut(except: string): number;
}

/** What is known of each endpoint, all under one panic floor: this is where breakers and pool meet. */
export class Standings {
  readonly #floor: PanicFloor;
  readonly #standings = new Map<string, Standing>();

  constructor(
    private readonly options: ResolvedBreakerOptions | false,
    maxEjectionPercent: number,
    private readonly deps: StandingsDeps,
  ) {
    this.#floor = new PanicFloor(maxEjectionPercent);
  }

  /** One for each address, however many connections lead there. */
  of(address: string): Standing {
    const standing = this.#standings.get(address) ?? new Standing(this.#newGate(address));
    this.#standings.set(address, standing);
    return standing;
  }

  /** Endpoints that left the set: one that comes back may be another server, and begins anew. */
  forget(addresses: readonly string[]): void {
    for (const address of addresses) this.#standings.delete(address);
  }

  #newGate(address: string): EndpointGate {
    if (this.options === false) return openGate;
    const { clock, random, events } = this.deps;
    return new Breaker(this.options, {
      clock,
      random,
      mayOpen: () => this.#floor.allows(this.deps.total(), this.deps.countOut(address)),
      onChange: (from, to, retryInMs) => {
        events.emit({
          type: "breaker.state",
          endpoint: address,
          from,
          to,
          ...(retryInMs === undefined ? {} : { retryInMs: Math.round(retryInMs) }),
        });
        this.deps.onChange(address);
      },
    });
  }
}
