import type { WatchedConnection } from "./server-watch.js";

/**
 * The connections of one endpoint, of which one carries what the endpoint is asked once: the oldest that lives, until
 * it goes.
 */
export class HealthCarrier {
  readonly #connections = new Set<WatchedConnection>();
  #current: WatchedConnection | null = null;
  #isClosed = false;

  /** @param onMoved told the new carrier; null when none is left */
  constructor(private readonly onMoved: (carrier: WatchedConnection | null) => void) {}

  add(connection: WatchedConnection): void {
    if (this.#isClosed) return;
    this.#connections.add(connection);
    this.#move();
  }

  remove(connection: WatchedConnection): void {
    this.#connections.delete(connection);
    this.#move();
  }

  /** Lets go of all, and takes no more. */
  close(): void {
    this.#isClosed = true;
    this.#connections.clear();
    this.#move();
  }

  #move(): void {
    const before = this.#current;
    this.#current = null;
    for (const connection of this.#connections) {
      // One that is lost will be removed.
      if (connection.isLost) continue;
      this.#current = connection;
      break;
    }
    if (this.#current !== before) this.onMoved(this.#current);
  }
}
