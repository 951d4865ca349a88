import type { ConnectivityWord } from "../core/index.js";

/** How many endpoints are in which state, kept up to date one by one: a target may have thousands. */
export class StateCounts<Key extends object> {
  readonly #states = new Map<Key, ConnectivityWord>();
  readonly #counts: Record<ConnectivityWord, number> = {
    IDLE: 0,
    CONNECTING: 0,
    READY: 0,
    TRANSIENT_FAILURE: 0,
    SHUTDOWN: 0,
  };

  get total(): number {
    return this.#states.size;
  }

  of(state: ConnectivityWord): number {
    return this.#counts[state];
  }

  set(key: Key, state: ConnectivityWord): void {
    const before = this.#states.get(key);
    if (before === state) return;
    if (before !== undefined) this.#counts[before]--;
    this.#counts[state]++;
    this.#states.set(key, state);
  }

  delete(key: Key): void {
    const before = this.#states.get(key);
    if (before !== undefined) this.#counts[before]--;
    this.#states.delete(key);
  }

  /**
   * The same where endpoints are connected as they are picked (R131): calls need one endpoint each, so one of several
   * that failed is no failure of the target yet.
   */
  get pickedAggregate(): ConnectivityWord | null {
    const { READY, CONNECTING, IDLE, TRANSIENT_FAILURE } = this.#counts;
    if (this.total === 0) return null;
    if (READY > 0) return "READY";
    if (TRANSIENT_FAILURE >= 2) return "TRANSIENT_FAILURE";
    if (CONNECTING > 0 || (TRANSIENT_FAILURE === 1 && this.total > 1)) return "CONNECTING";
    return IDLE > 0 ? "IDLE" : "TRANSIENT_FAILURE";
  }

  /** The state of a target from those of its endpoints (R107); null for a set not known yet. */
  get aggregate(): ConnectivityWord | null {
    if (this.total === 0) return null;
    if (this.#counts.READY > 0) return "READY";
    return this.#counts.CONNECTING + this.#counts.IDLE > 0 ? "CONNECTING" : "TRANSIENT_FAILURE";
  }
}
