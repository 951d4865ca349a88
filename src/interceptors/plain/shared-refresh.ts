import { type Clock, withinMs } from "../../core/index.js";

/** One refresh for all calls whose credentials were refused meanwhile. */
export class SharedRefresh<T> {
  #generation = 0;
  #latest: Promise<T> | null = null;
  #running: Promise<T> | null = null;

  /** @param timeoutMs how long a refresh may take: one that is never answered must not be waited for by all later calls */
  constructor(
    private readonly timeoutMs: number,
    private readonly clock: Clock,
  ) {}

  /** Grows with every refresh that succeeded; a call remembers it beside what it was given. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * What is valid after `generation`: the outcome of the refresh under way, of one that came after the call had its
   * credentials, or of a new one.
   */
  after(generation: number, ask: () => T | Promise<T>): Promise<T> {
    if (this.#running !== null) return this.#running;
    if (this.#latest !== null && this.#generation > generation) return this.#latest;
    const asked = withinMs(this.clock, this.timeoutMs, "the refresh of credentials", async () => ask());
    this.#running = asked;
    asked.then(
      () => {
        this.#generation += 1;
        this.#latest = asked;
        this.#running = null;
      },
      () => {
        this.#running = null;
      },
    );
    return asked;
  }
}
