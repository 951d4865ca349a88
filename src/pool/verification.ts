import type { Clock } from "../core/index.js";
import type { Connection } from "./connection.js";
import type { ConnectionSet } from "./connection-set.js";
import type { SuspicionChange } from "./subchannel-owner.js";
import { Suspicion, type SuspicionOwner } from "./suspicion.js";

/** What a verification asks of whoever keeps the connections. */
export interface VerificationOwner {
  tellSuspicion(change: SuspicionChange): void;
  /** Only a fresh dial can tell whether the peer lives. */
  dialToVerify(): void;
  /** A connection is sound again: a dial on its behalf is needed no more. */
  onCleared(): void;
}

/**
 * Doubts about the connections of an endpoint (design decision 17): first a Check over each, then one fresh dial for
 * all that stay without an answer. A byte from the peer ends the doubt about its connection at any time.
 */
export class Verification implements SuspicionOwner {
  constructor(
    private readonly set: ConnectionSet,
    private readonly owner: VerificationOwner,
    private readonly clock: Clock,
    private readonly checkTimeoutMs: number,
  ) {}

  /**
   * Puts all connections in doubt: what silenced one of them concerns them all.
   * @param isUnverified true to keep calls from going there even for want of others
   */
  begin(cause: string, isUnverified: boolean): void {
    const concerned = this.set.members.filter(
      (member) => member.suspicion === null || (isUnverified && !member.isUnverified),
    );
    if (concerned.length === 0) return;
    for (const member of concerned) {
      member.isUnverified = isUnverified;
      // One in doubt already goes on being verified.
      if (member.suspicion !== null) continue;
      const suspicion = new Suspicion(member.connection, this, this.clock, this.checkTimeoutMs);
      this.set.doubt(member, suspicion, isUnverified);
    }
    this.owner.tellSuspicion({ type: "connection.suspect", cause });
  }

  onVerified(connection: Connection, by: "bytes" | "health"): void {
    const member = this.set.of(connection);
    if (member === undefined) return;
    this.set.clear(member);
    this.owner.onCleared();
    this.owner.tellSuspicion({ type: "connection.verified", by });
  }

  onUnanswered(connection: Connection): void {
    const member = this.set.of(connection);
    if (member === undefined) return;
    member.isUnanswered = true;
    this.owner.dialToVerify();
  }

  /** The fresh dial failed. @returns those that nothing was heard of meanwhile either: they are dead */
  conclude(): readonly Connection[] {
    const dead: Connection[] = [];
    for (const { connection, isUnanswered, suspicion } of [...this.set.members]) {
      if (!isUnanswered) continue;
      if (suspicion?.hasHeard === true) this.onVerified(connection, "bytes");
      else dead.push(connection);
    }
    return dead;
  }
}
