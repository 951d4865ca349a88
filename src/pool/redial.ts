import type { Clock, Timer } from "../core/index.js";
import type { Connection } from "./connection.js";

/** Whoever keeps the connections. */
export interface RedialOwner {
  newConnection(): Connection;
  onWaitOver(): void;
}

/** The next connection of an endpoint: being dialled, or waited for. Never more than one at a time (R61). */
export class Redial {
  #dial: Connection | null = null;
  #wait: { readonly timer: Timer; readonly at: number } | null = null;

  constructor(
    private readonly clock: Clock,
    private readonly owner: RedialOwner,
  ) {}

  get isDialling(): boolean {
    return this.#dial !== null;
  }

  get isWaiting(): boolean {
    return this.#wait !== null;
  }

  /** Milliseconds until the next dial, or null when none is scheduled. */
  get retryInMs(): number | null {
    return this.#wait === null ? null : Math.max(0, this.#wait.at - this.clock.now());
  }

  /** Ends a wait. @returns the new connection, for the owner to dial once it has told of its state */
  begin(): Connection {
    this.#stopWaiting();
    this.#dial = this.owner.newConnection();
    return this.#dial;
  }

  /** The dial is over, whatever came of it. */
  ended(): void {
    this.#dial = null;
  }

  waitUntil(at: number): void {
    this.#stopWaiting();
    const timer = this.clock.setTimer(() => {
      this.#wait = null;
      this.owner.onWaitOver();
    }, at - this.clock.now());
    this.#wait = { timer, at };
  }

  stop(): void {
    this.#stopWaiting();
    this.#dial?.kill();
    this.#dial = null;
  }

  #stopWaiting(): void {
    this.#wait?.timer.cancel();
    this.#wait = null;
  }
}
