import type { CommandIds } from "../../core/index.js";

/** A client id with rising command ids. Has one write outstanding at most: two could make the lower one vanish. */
export class Session {
  #nextCommandId = 0n;

  constructor(readonly clientId: bigint) {}

  /** Ids for the next write; none is ever given out twice, also when the write was given up or never sent. */
  nextIds(): CommandIds {
    const commandId = this.#nextCommandId;
    this.#nextCommandId += 1n;
    return { clientId: this.clientId, commandId };
  }
}

/** Waits for a session. */
export interface SessionWaiter {
  onSession(session: Session): void;
}

/** The sessions of a Clerk, lent to one write at a time, in the order they asked. */
export class SessionPool {
  readonly #idle: Session[];
  readonly #waiters = new Set<SessionWaiter>();

  /** @param newClientId gives a number that no other session of the cluster ever has */
  constructor(
    count: number,
    private readonly maxWaiters: number,
    newClientId: () => bigint,
  ) {
    this.#idle = Array.from({ length: count }, () => new Session(newClientId()));
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Lends an idle session at once, or notes the waiter.
   * @returns the session, null when the waiter has to wait, or `full` when no more may wait
   */
  borrow(waiter: SessionWaiter): Session | null | "full" {
    const session = this.#idle.pop();
    if (session !== undefined) return session;
    if (this.#waiters.size >= this.maxWaiters) return "full";
    this.#waiters.add(waiter);
    return null;
  }

  /** The waiter wants none any more. */
  forget(waiter: SessionWaiter): void {
    this.#waiters.delete(waiter);
  }

  /** The write is over, whatever became of it. */
  giveBack(session: Session): void {
    for (const waiter of this.#waiters) {
      this.#waiters.delete(waiter);
      waiter.onSession(session);
      return;
    }
    this.#idle.push(session);
  }
}
