import type { Connection } from "./connection.js";
import type { Suspicion } from "./suspicion.js";

/** A READY connection, and what speaks against it. */
export interface Member {
  readonly connection: Connection;
  /** Monotonic ms from which on another is to take its place. */
  readonly retireAt: number;
  /** Its life is being verified. */
  suspicion: Suspicion | null;
  /** The verification is still to be waited for: no call goes here before, not even for want of others. */
  isUnverified: boolean;
  /** The Check stayed without an answer: a fresh dial decides. */
  isUnanswered: boolean;
  /** Why another is to take its place; null for one that stays. */
  retiring: string | null;
}

/** The READY connections of one endpoint, in the order they came up. */
export class ConnectionSet {
  readonly #members: Member[] = [];
  /** Where the next search begins, so that ties go round. */
  #start = 0;
  #doubtful = 0;
  /** The only one, while nothing speaks against it. */
  #sole: Connection | null = null;

  /** Known without a look at the members: of thousands of endpoints those are not in the processor's cache. */
  get sole(): Connection | null {
    return this.#sole;
  }

  get members(): readonly Member[] {
    return this.#members;
  }

  get size(): number {
    return this.#members.length;
  }

  /** True when at least one has nothing against it. */
  get isTrusted(): boolean {
    return this.#sole !== null || this.#doubtful < this.#members.length;
  }

  /** True when calls had better wait for a verification. */
  get isUnverified(): boolean {
    return this.#members.some((member) => member.isUnverified);
  }

  /** Those that neither are about to be replaced nor wait for a fresh dial to confirm them. */
  get lasting(): number {
    let count = 0;
    for (const { retiring, isUnanswered } of this.#members) if (retiring === null && !isUnanswered) count++;
    return count;
  }

  add(connection: Connection, retireAt: number): void {
    this.#members.push({
      connection,
      retireAt,
      suspicion: null,
      isUnverified: false,
      isUnanswered: false,
      retiring: null,
    });
    this.#noteSole();
  }

  of(connection: Connection): Member | undefined {
    return this.#members.find((member) => member.connection === connection);
  }

  /** @returns false when it was not in the set */
  remove(connection: Connection): boolean {
    const at = this.#members.findIndex((member) => member.connection === connection);
    if (at < 0) return false;
    this.clear(this.#members[at] as Member);
    this.#members.splice(at, 1);
    this.#noteSole();
    return true;
  }

  doubt(member: Member, suspicion: Suspicion, isUnverified: boolean): void {
    if (member.suspicion === null) this.#doubtful++;
    member.suspicion = suspicion;
    member.isUnverified = isUnverified;
    this.#noteSole();
  }

  /** Nothing speaks against it any more. */
  clear(member: Member): void {
    if (member.suspicion === null) return;
    member.suspicion.cancel();
    member.suspicion = null;
    member.isUnverified = false;
    member.isUnanswered = false;
    this.#doubtful--;
    this.#noteSole();
  }

  /**
   * The one with the fewest calls in flight, in turn where several have as few; null when all have `maxCalls`.
   * @param isTrusting true to take one whose life is in doubt
   */
  least(maxCalls: number, isTrusting: boolean): Connection | null {
    const members = this.#members;
    const { length } = members;
    if (length > 1) this.#start++;
    let best: Connection | null = null;
    let fewest = maxCalls;
    for (let step = 0; step < length; step++) {
      const { connection, suspicion } = members[(this.#start + step) % length] as Member;
      if (connection.inFlight >= fewest || (suspicion !== null && !isTrusting)) continue;
      best = connection;
      fewest = connection.inFlight;
    }
    return best;
  }

  #noteSole(): void {
    const [first] = this.#members;
    const isSole = this.#members.length === 1 && first?.suspicion === null;
    this.#sole = isSole ? first.connection : null;
  }
}
