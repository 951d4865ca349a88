import type { ConnectivityWord, Endpoint, Random } from "../core/index.js";
import type { Connection } from "./connection.js";
import type { ConnectionDeps } from "./connection-deps.js";
import { ConnectionSet } from "./connection-set.js";
import type { ReconnectBackoff } from "./reconnect-backoff.js";
import { Redial, type RedialOwner } from "./redial.js";
import type { Standing } from "./standing.js";

export interface KeeperDeps extends ConnectionDeps {
  readonly random: Random;
  readonly checkTimeoutMs: number;
  readonly minConnections: number;
  readonly maxConnections: number;
  readonly maxStreamsPerConnection: number;
  readonly maxConnectionAgeMs: number | null;
}

/** As many connections to one endpoint as are wanted, and the state that follows from them. */
export abstract class DialledConnections implements RedialOwner {
  protected readonly set = new ConnectionSet();
  protected readonly redial: Redial;
  #state: ConnectivityWord = "IDLE";
  #wanted: number;

  constructor(
    public endpoint: Endpoint,
    readonly standing: Standing,
    protected readonly backoff: ReconnectBackoff,
    protected readonly deps: KeeperDeps,
  ) {
    this.#wanted = deps.minConnections;
    this.redial = new Redial(deps.clock, this);
  }

  abstract newConnection(): Connection;
  /** `from` and `to` are equal where only what the state is worth may have changed. */
  protected abstract tellState(from: ConnectivityWord, to: ConnectivityWord, cause?: string): void;
  protected abstract tellDraining(cause: string): void;

  get state(): ConnectivityWord {
    return this.#state;
  }

  get connections(): readonly Connection[] {
    return this.set.members.map(({ connection }) => connection);
  }

  /** Milliseconds until the next dial, or null when none is scheduled. */
  get retryInMs(): number | null {
    return this.redial.retryInMs;
  }

  /** True while fewer connections stand, or stand firm, than are wanted. */
  protected get isShort(): boolean {
    return this.set.lasting < this.#wanted;
  }

  /** True while more connections stand than are wanted. */
  protected get isOverfull(): boolean {
    return this.set.size > this.#wanted;
  }

  /** The connection with the fewest calls in flight, or null when there is no room. */
  free(isTrusting = false): Connection | null {
    const { maxStreamsPerConnection } = this.deps;
    const { sole } = this.set;
    // No connection has more calls than all of the endpoint together.
    if (sole !== null && this.standing.inFlight < maxStreamsPerConnection) return sole;
    return this.set.least(maxStreamsPerConnection, isTrusting);
  }

  /** Dials, if idle. In backoff the timer does it. */
  connect(): void {
    if (this.#state === "IDLE") this.dial();
  }

  /**
   * All connections are full and calls wait: one more, unless one is on its way (R76).
   * @returns true when a dial was begun
   */
  grow(): boolean {
    if (this.#state !== "READY" || this.redial.isDialling || this.redial.isWaiting) return false;
    if (this.#wanted >= this.deps.maxConnections || this.free(true) !== null) return false;
    this.#wanted++;
    this.dial();
    return true;
  }

  /** Dials at once, also in backoff, and starts the backoff anew. */
  resetBackoff(): void {
    this.backoff.reset();
    if (this.redial.isWaiting) this.dial();
  }

  /** The connections go quietly: for idleness and removal. Running calls finish within `drainMs`. */
  drain(cause: string, drainMs?: number): void {
    if (this.set.members.some(({ connection }) => connection.inFlight > 0)) this.tellDraining(cause);
    this.#leave((connection) => connection.drain(drainMs));
    this.backoff.reset();
    this.#wanted = this.deps.minConnections;
    this.#enter("IDLE", cause);
  }

  /** The end of the endpoint's state. */
  shutdown(cause: string, drainMs?: number): void {
    if (this.#state === "SHUTDOWN") return;
    this.drain(cause, drainMs);
    this.#enter("SHUTDOWN", cause);
  }

  /** Ends everything now; its calls end as lost. */
  destroy(): void {
    this.#leave((connection) => connection.kill());
    this.#enter("SHUTDOWN", "the channel was destroyed");
  }

  protected dial(): void {
    if (this.#state === "SHUTDOWN") return;
    const connection = this.redial.begin();
    this.#enterCurrent();
    connection.dial();
  }

  protected waitUntil(at: number, cause?: string): void {
    // Final, whatever a listener to what led here has done.
    if (this.#state === "SHUTDOWN") return;
    this.redial.waitUntil(at);
    this.#enterCurrent(cause);
  }

  /** Dials where a connection is missing; where none is left, and none is to be waited for, the pool decides. */
  protected refill(notBefore: number, cause?: string): void {
    if (!this.isShort || this.redial.isDialling || this.redial.isWaiting) this.#enterCurrent(cause);
    else if (notBefore > this.deps.clock.now()) this.waitUntil(notBefore, cause);
    else if (this.set.size > 0) this.dial();
    else this.#enterCurrent(cause);
  }

  /** @returns false when it was not in the set */
  protected remove(connection: Connection): boolean {
    const wasMember = this.set.remove(connection);
    if (wasMember) this.standing.removeConnection(connection);
    return wasMember;
  }

  onWaitOver(): void {
    if (this.set.size === 0) this.dial();
    else this.refill(this.deps.clock.now());
  }

  #leave(end: (connection: Connection) => void): void {
    this.redial.stop();
    for (const connection of this.connections) {
      this.remove(connection);
      end(connection);
    }
  }

  /** R79. */
  #enterCurrent(cause?: string): void {
    if (this.#state === "SHUTDOWN") return;
    if (this.set.size > 0) this.#enter("READY", cause);
    else if (this.redial.isDialling) this.#enter("CONNECTING", cause);
    else this.#enter(this.redial.isWaiting ? "TRANSIENT_FAILURE" : "IDLE", cause);
  }

  #enter(next: ConnectivityWord, cause?: string): void {
    const from = this.#state;
    this.#state = next;
    this.tellState(from, next, cause);
  }
}
