import { type CommandIds, configInvalid } from "../../core/index.js";
import { ALLOWED_IDS, isId } from "../wire-fields.js";

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
  #isLending = false;
  #isClosed = false;

  /** @param newClientId gives a number that no other session of the cluster ever has */
  constructor(
    count: number,
    private readonly maxWaiters: number,
    newClientId: () => bigint,
  ) {
    this.#idle = Array.from({ length: count }, () => new Session(checkedId(newClientId())));
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /**
   * Lends an idle session at once, or notes the waiter.
   * @returns the session, null when the waiter has to wait, or `full` when no more may wait
   */
  borrow(waiter: SessionWaiter): Session | null | "full" {
    const session = this.#waiters.size === 0 ? this.#idle.pop() : undefined;
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
    this.#idle.push(session);
    this.#lend();
  }

  /** Lends nothing any more: who waits is about to be told that all is over. */
  close(): void {
    this.#isClosed = true;
  }

  /** A loop, not a chain of calls: a waiter whose time is over gives its session back at once, and so may thousands. */
  #lend(): void {
    if (this.#isLending) return;
    this.#isLending = true;
    for (const waiter of this.#waiters) {
      const session = this.#isClosed ? undefined : this.#idle.pop();
      if (session === undefined) break;
      this.#waiters.delete(waiter);
      waiter.onSession(session);
    }
    this.#isLending = false;
  }
}

/** @throws ResilienceError `CONFIG_INVALID` for what the wire's int64 cannot carry */
export function checkedId(id: bigint): bigint {
  if (isId(id)) return id;
  throw configInvalid(`newClientId gave ${String(id)}; allowed: ${ALLOWED_IDS}`);
}
