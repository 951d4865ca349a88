import type { Clock, Random, Timer } from "../../core/index.js";
import type { Leader } from "../clerk-api.js";
import type { LinkFailure } from "../unary-link.js";
import type { LeaderCache } from "./leader-cache.js";
import { type ProbePace, ProbeSchedule } from "./probe-schedule.js";
import type { KvServer } from "./server-set.js";
import { type StatusAnswer, StatusRound } from "./status-round.js";

/** Waits for a leader to be known. */
export interface LeaderWaiter {
  onLeader(leader: Leader): void;
  /** Every server refuses to answer for good. */
  onRefused(failure: LinkFailure): void;
}

/** Waits for a server that leads, and has begun to doubt it. */
export interface Doubter {
  /** Who keeps it waiting. */
  readonly sentTo: KvServer | null;
}

export interface FinderDeps {
  readonly clock: Clock;
  readonly random: Random;
  readonly cache: LeaderCache;
  readonly pace: ProbePace;
  servers(): Iterable<KvServer>;
  /** How long a server may take to answer, in ms; up to `maxTimeoutMs` when nobody answers in that time. */
  readonly timeoutMs: number;
  readonly maxTimeoutMs: number;
  ask(server: KvServer, timeoutMs: number, done: (answer: StatusAnswer) => void): void;
  /** Another leader than before is known. */
  onChanged(leader: Leader, previous: Leader | null): void;
  onLost(leader: Leader, cause: string): void;
  /** A whole round found nobody who leads. */
  onNobody(): void;
}

/**
 * Finds the leader by rounds of GetStatus to all servers at once. There is one loop per Clerk, which runs while somebody
 * waits for a leader or doubts the one that is known.
 */
export class LeaderFinder {
  readonly #deps: FinderDeps;
  readonly #schedule: ProbeSchedule;
  readonly #waiters = new Set<LeaderWaiter>();
  readonly #doubters = new Set<Doubter>();
  #previous: Leader | null = null;
  #timer: Timer | null = null;
  /** Servers that the round now running has not heard from. */
  #missing = 0;
  #isClosed = false;
  #timeoutMs: number;
  #lastRound: StatusRound | null = null;
  /** Why everybody refused in the last round. */
  #refusal: LinkFailure | null = null;
  /** Who answered a command last, and when. */
  #answeredBy: Leader | null = null;
  #answeredAt = 0;

  constructor(deps: FinderDeps) {
    this.#deps = deps;
    this.#schedule = new ProbeSchedule(deps.pace, deps.random);
    this.#timeoutMs = deps.timeoutMs;
  }

  get leader(): Leader | null {
    return this.#deps.cache.leader;
  }

  get waiting(): number {
    return this.#waiters.size;
  }

  /** What the servers said when they were last asked; null when they have not been. */
  get lastRound(): string | null {
    return this.#lastRound?.describe() ?? null;
  }

  /** Calls back once a leader is known; for callers that found `leader` null. */
  wait(waiter: LeaderWaiter): void {
    // Who comes between two rounds would hear nothing else from the next one.
    if (this.#refusal !== null && this.#schedule.delayMs(this.#deps.clock.now()) > 0)
      return waiter.onRefused(this.#refusal);
    this.#waiters.add(waiter);
    this.#run();
  }

  forget(waiter: LeaderWaiter): void {
    this.#waiters.delete(waiter);
    this.#rest();
  }

  /** The leader keeps `doubter` waiting: look for another one beside it, until `trust`. */
  doubt(doubter: Doubter): void {
    this.#doubters.add(doubter);
    this.#run();
  }

  trust(doubter: Doubter): void {
    if (this.#doubters.delete(doubter)) this.#rest();
  }

  /** This leader did not do its duty. */
  drop(leader: Leader, cause: string): void {
    if (this.#deps.cache.drop(leader)) this.#deps.onLost(leader, cause);
  }

  /** A command went through: the next outage is looked into at once, but not one that others are in. */
  noteSuccess(leader: Leader): void {
    this.#answeredBy = leader;
    this.#answeredAt = this.#deps.clock.now();
    if (!this.#isWanted) this.#schedule.reset();
  }

  /** Whether this leader has done what another operation asked since that instant. */
  hasAnsweredSince(leader: Leader, at: number): boolean {
    return this.#answeredBy === leader && this.#answeredAt >= at;
  }

  /** The set of servers is another one. */
  serversChanged(addresses: readonly string[]): void {
    const { leader } = this;
    if (leader !== null && !addresses.includes(leader.address))
      this.drop(leader, "it left the set of servers");
    this.#schedule.reset();
    this.#timer?.cancel();
    this.#timer = null;
    this.#run();
  }

  close(): void {
    this.#isClosed = true;
    this.#waiters.clear();
    this.#doubters.clear();
    this.#rest();
  }

  get #isWanted(): boolean {
    return !this.#isClosed && (this.#waiters.size > 0 || this.#doubters.size > 0);
  }

  #rest(): void {
    if (this.#isWanted) return;
    this.#timer?.cancel();
    this.#timer = null;
  }

  /** Not kept alive by itself: the operations that wait keep the process alive until their deadline. */
  #run(): void {
    if (!this.#isWanted || this.#timer !== null || this.#missing > 0) return;
    const { clock } = this.#deps;
    const delayMs = this.#schedule.delayMs(clock.now());
    if (delayMs === 0) return this.#startRound();
    this.#timer = clock.setTimer(() => {
      this.#timer = null;
      this.#startRound();
    }, delayMs);
  }

  #startRound(): void {
    const { clock, ask, cache } = this.#deps;
    const servers = [...this.#deps.servers()];
    // Without servers there is nothing to do until they are known, which starts a round by itself.
    if (servers.length === 0) return;
    // A server that keeps a command waiting is asked already: its answer will be the sign.
    const silent = new Set([...this.#doubters].map(({ sentTo }) => sentTo));
    const asked = servers.filter((server) => !silent.has(server));
    const round = new StatusRound(servers.length, asked.length);
    const termAtStart = cache.leaderTerm;
    this.#schedule.began(clock.now(), servers.length);
    this.#refusal = null;
    this.#missing = asked.length;
    if (asked.length === 0) return this.#run();
    for (const server of asked) {
      ask(server, this.#timeoutMs, (answer) => {
        this.#missing -= 1;
        if (!this.#isClosed) this.#read(round, server.address, answer, termAtStart);
      });
    }
  }

  #read(round: StatusRound, address: string, answer: StatusAnswer, termAtStart: number): void {
    const { cache } = this.#deps;
    round.add(address, answer);
    if (round.contradicts(termAtStart) && cache.leaderTerm === termAtStart) cache.reset();
    const dropped = cache.observeTerm(round.highestTerm);
    if (dropped !== null) this.#deps.onLost(dropped, `a server is in term ${round.highestTerm}`);
    const { leader } = round;
    if (leader !== null && cache.learn(leader)) this.#changed();
    if (!round.isComplete) return;
    this.#lastRound = round;
    const { timeoutMs, maxTimeoutMs } = this.#deps;
    this.#timeoutMs = round.isSilent
      ? Math.min(this.#timeoutMs * 2, Math.max(timeoutMs, maxTimeoutMs))
      : timeoutMs;
    const { refusal } = round;
    this.#refusal = refusal;
    if (refusal !== null) this.#settle((waiter) => waiter.onRefused(refusal));
    if (this.leader === null) this.#deps.onNobody();
    this.#run();
  }

  #changed(): void {
    const { leader } = this;
    if (leader === null) return;
    const previous = this.#previous;
    this.#previous = leader;
    this.#deps.onChanged(leader, previous);
    this.#settle((waiter) => waiter.onLeader(leader));
  }

  #settle(tell: (waiter: LeaderWaiter) => void): void {
    const waiters = [...this.#waiters];
    this.#waiters.clear();
    for (const waiter of waiters) tell(waiter);
    this.#rest();
  }
}
