import {
  Breaker,
  type BreakerDeps,
  OutlierDetection,
  PanicFloor,
  type ResolvedBreakerOptions,
} from "../breaker/index.js";
import { type Clock, configInvalid, type EventHub, type Random, Subscription } from "../core/index.js";
import { openGate, Standing } from "../pool/index.js";
import type { ResolvedChannelOptions } from "./channel-options.js";
import type { EndpointWatches } from "./endpoint-watches.js";
import { MethodBreakers } from "./method-breakers.js";

export interface StandingsDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly events: EventHub;
  /** Health and load reports; null where none are asked for. */
  readonly watches: EndpointWatches | null;
  /** An endpoint came into use or went out of it: calls that wait may go, or need not wait any more. */
  onChange(address: string): void;
  /** Endpoints of the target. */
  total(): number;
  /** READY endpoints that are out of use, but for this one: merely not READY takes nothing from the floor. */
  countOut(except: string, path: string | null): number;
  isReady(address: string): boolean;
}

type Options = Pick<ResolvedChannelOptions, "breaker" | "maxEjectionPercent" | "outlierEjection">;

interface Isolation {
  readonly address: string;
  held: Subscription | null;
}

/** What is known of each endpoint, all under one panic floor: this is where breakers, ejection and pool meet. */
export class Standings {
  readonly #floor: PanicFloor;
  readonly #standings = new Map<string, Standing>();
  readonly #outliers: OutlierDetection | null;
  readonly #ejected = new Set<string>();
  /** What somebody took out of use by hand, whether it is in the set or not. */
  readonly #isolations = new Set<Isolation>();

  constructor(
    private readonly options: Options,
    private readonly deps: StandingsDeps,
  ) {
    this.#floor = new PanicFloor(options.maxEjectionPercent);
    this.#outliers = options.outlierEjection === undefined ? null : this.#detection(options.outlierEjection);
  }

  /** One for each address, however many connections lead there. */
  of(address: string): Standing {
    const known = this.#standings.get(address);
    if (known !== undefined) return known;
    const standing = this.#make(address);
    this.#standings.set(address, standing);
    for (const isolation of this.#isolations)
      if (isolation.address === address) this.#hold(isolation, standing);
    return standing;
  }

  /** Endpoints that left the set: one that comes back may be another server, and begins anew. */
  forget(addresses: readonly string[]): void {
    for (const address of addresses) {
      this.#standings.delete(address);
      this.#outliers?.forget(address);
      this.#ejected.delete(address);
      this.deps.watches?.forget(address);
    }
  }

  /** The end of all that was asked of endpoints. */
  close(): void {
    this.deps.watches?.close();
  }

  /** True where `tick` has something to do between calls, too. */
  get isWatchful(): boolean {
    return this.#outliers !== null || this.deps.watches?.needsTicks === true;
  }

  /** About once a second: ejects outliers when it is time, asks for health that is due, and tells breakers of it. */
  tick(now: number): void {
    this.deps.watches?.tick(now);
    if (this.options.breaker !== false && this.options.breaker.probedBy === "health") {
      for (const standing of this.#standings.values()) {
        if (standing.health?.status === "serving") standing.healthy();
      }
    }
    if (this.#outliers !== null && now >= this.#outliers.nextSweepAt) this.#outliers.sweep(now);
  }

  /**
   * Takes an endpoint out of use until the returned subscription is disposed, also when it leaves the set and comes back.
   * @throws ResilienceError `CONFIG_INVALID` where breakers are off
   */
  isolate(address: string): Subscription {
    if (this.options.breaker === false) {
      throw configInvalid(`isolate: ${JSON.stringify(address)} has no breaker to open: breaker is false`);
    }
    const isolation: Isolation = { address, held: null };
    this.#isolations.add(isolation);
    this.#hold(isolation, this.#standings.get(address));
    return new Subscription(() => {
      this.#isolations.delete(isolation);
      isolation.held?.dispose();
    });
  }

  #hold(isolation: Isolation, standing: Standing | undefined): void {
    if (standing?.gate instanceof Breaker) isolation.held = standing.gate.isolate();
  }

  #make(address: string): Standing {
    const { breaker } = this.options;
    const watched = this.deps.watches?.partsOf(address);
    const tally = this.#outliers?.tallyFor(address);
    return new Standing({
      gate: breaker === false ? openGate : new Breaker(breaker, this.#breakerDeps(address, null)),
      methodGates: breaker === false ? null : this.#methodBreakers(address, breaker),
      ...(tally === undefined ? {} : { tally }),
      ...watched,
    });
  }

  #methodBreakers(address: string, breaker: ResolvedBreakerOptions): MethodBreakers | null {
    if (breaker.scope !== "method") return null;
    return new MethodBreakers(breaker, (path) => this.#breakerDeps(address, path));
  }

  #breakerDeps(address: string, path: string | null): BreakerDeps {
    const { clock, random, events } = this.deps;
    return {
      clock,
      random,
      mayOpen: () => this.#mayTakeOut(address, path),
      onChange: (from, to, retryInMs) => {
        events.emit({
          type: "breaker.state",
          endpoint: address,
          ...(path === null ? {} : { method: path }),
          from,
          to,
          ...(retryInMs === undefined ? {} : { retryInMs: Math.round(retryInMs) }),
        });
        this.deps.onChange(address);
      },
    };
  }

  #mayTakeOut(address: string, path: string | null): boolean {
    let out = this.deps.countOut(address, path);
    // One that is ejected comes back ejected, so it counts while it is not READY, too.
    for (const other of this.#ejected) if (other !== address && !this.deps.isReady(other)) out++;
    return this.#floor.allows(this.deps.total(), out);
  }

  #detection(options: NonNullable<Options["outlierEjection"]>): OutlierDetection {
    const { random, clock, events, onChange } = this.deps;
    return new OutlierDetection(options, {
      random,
      startedAt: clock.now(),
      mayEject: (address) => this.#mayTakeOut(address, null),
      onEject: (endpoint, { method, forMs }) => {
        this.#ejected.add(endpoint);
        events.emit({ type: "endpoint.ejected", endpoint, method, forMs });
        onChange(endpoint);
      },
      onSpare: (endpoint, { method, reason }) =>
        events.emit({ type: "endpoint.spared", endpoint, method, why: reason }),
      onUneject: (endpoint) => {
        this.#ejected.delete(endpoint);
        events.emit({ type: "endpoint.unejected", endpoint });
        onChange(endpoint);
      },
    });
  }
}
