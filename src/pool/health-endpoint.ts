import type { Endpoint } from "../core/index.js";
import { HealthCarrier } from "./health-carrier.js";
import { ConnectionHealth } from "./health-connection.js";
import type { ResolvedHealthOptions } from "./health-options.js";
import { ProbedHealth } from "./health-probe.js";
import type { HealthSource, HealthSourceOwner } from "./health-source.js";
import { type HealthVerdict, type HealthWord, UNKNOWN } from "./health-verdict.js";
import type { ServerWatchDeps, WatchedConnection } from "./server-watch.js";

/** Hears of an endpoint's health. */
export interface EndpointHealthOwner {
  /** `status` or `detail` differ from before. */
  onChange(health: EndpointHealth): void;
  /** The server has neither Watch nor Check, so it counts as serving; told once. */
  onUnimplemented(health: EndpointHealth): void;
}

/**
 * The health of one endpoint, asked once for all its connections, however many pools have some: begun with the first of
 * them, ended with the last. An endpoint that is not serving keeps its connections and the calls on them; it is only not
 * picked.
 */
export class EndpointHealth implements HealthSourceOwner {
  #verdict: HealthVerdict = UNKNOWN;
  #source: HealthSource | null = null;
  #isClosed = false;
  #hasToldUnimplemented = false;
  readonly #carrier = new HealthCarrier((connection) => this.#onCarrier(connection));

  constructor(
    /** As discovery has it now. */
    private readonly endpointNow: () => Endpoint,
    private readonly options: ResolvedHealthOptions,
    private readonly owner: EndpointHealthOwner,
    private readonly deps: ServerWatchDeps,
  ) {}

  get status(): HealthWord {
    return this.#verdict.status;
  }

  /** Why it is not serving, or null. */
  get detail(): string | null {
    return this.#verdict.detail;
  }

  /** A connection is up. */
  add(connection: WatchedConnection): void {
    this.#carrier.add(connection);
  }

  /** A connection takes no more calls: it drains, said goodbye, or is gone. */
  remove(connection: WatchedConnection): void {
    this.#carrier.remove(connection);
  }

  /** To be called about once a second: it is due then whatever has to be asked in intervals. */
  tick(now: number): void {
    this.#source?.tick(now);
  }

  /** Ends everything, and says no more. */
  close(): void {
    this.#isClosed = true;
    this.#carrier.close();
  }

  // The source's news

  onVerdict(verdict: HealthVerdict): void {
    const { status, detail } = this.#verdict;
    this.#verdict = verdict;
    if (this.#isClosed || (verdict.status === status && verdict.detail === detail)) return;
    this.owner.onChange(this);
  }

  onUnimplemented(): void {
    if (this.#hasToldUnimplemented) return;
    this.#hasToldUnimplemented = true;
    this.owner.onUnimplemented(this);
  }

  #onCarrier(connection: WatchedConnection | null): void {
    const { probe } = this.options;
    // A probe asks by ways of its own.
    if (probe !== undefined && connection !== null && this.#source !== null) return;
    this.#source?.stop();
    const source = connection === null ? null : this.#sourceOver(connection);
    this.#source = source;
    // What the server said holds until it says something else, or nobody is left to hear it.
    if (source === null || !this.#verdict.isHeard) this.onVerdict(UNKNOWN);
    // Whoever heard that may have ended it.
    if (this.#source === source) source?.start();
  }

  #sourceOver(connection: WatchedConnection): HealthSource {
    const { probe, serviceName = "", useWatch, intervalMs, timeoutMs } = this.options;
    if (probe !== undefined) {
      return new ProbedHealth(this.endpointNow, probe, { intervalMs, timeoutMs }, this, this.deps);
    }
    const question = { serviceName, useWatch, intervalMs, timeoutMs };
    return new ConnectionHealth(connection, question, this, this.deps);
  }
}
