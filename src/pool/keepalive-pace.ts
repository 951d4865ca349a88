/** Servers take a ping without calls every 2 hours by default: nobody needs to go further (R69). */
const SLOWEST_MS = 7_200_000;
/** A server that minds the pings says goodbye at the third or fourth (R69), which come in the first few intervals. */
const FEWEST_PINGS = 2;
const MOST_PINGS = 10;

/**
 * The interval of the pings to one target (R68). grpc-js doubles it by itself when a server minds, but only for the
 * connection that has just died of it, and tells nobody: so connections that are said goodbye to after a few pings are
 * taken as that server's word.
 */
export class KeepalivePace {
  #timeMs: number;

  constructor(
    timeMs: number,
    private readonly onRaise: (fromMs: number, toMs: number) => void,
  ) {
    this.#timeMs = timeMs;
  }

  /** The interval for the next connection, in ms. */
  get timeMs(): number {
    return this.#timeMs;
  }

  /** A peer ended a connection in an orderly way. @param livedMs since it came up */
  noteEnd(livedMs: number): void {
    const from = this.#timeMs;
    if (from >= SLOWEST_MS || livedMs < from * FEWEST_PINGS || livedMs > from * MOST_PINGS) return;
    this.#timeMs = Math.min(from * 2, SLOWEST_MS);
    this.onRaise(from, this.#timeMs);
  }
}
