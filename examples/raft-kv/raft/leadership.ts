import type { Clock, RaftPeer, Timer } from "holdfast";
import { type ReplicationContext, Replicator } from "./replicator.js";

export interface LeadershipOptions extends ReplicationContext {
  readonly followers: readonly RaftPeer[];
  readonly clock: Clock;
  readonly heartbeatMs: number;
}

/** One leader's work in one term: heartbeats and replication to every follower. */
export class Leadership {
  readonly #options: LeadershipOptions;
  readonly #replicators: readonly Replicator[];
  #timer: Timer | null = null;

  constructor(options: LeadershipOptions) {
    this.#options = options;
    this.#replicators = options.followers.map((peer) => new Replicator(peer, options));
  }

  /** Sends a heartbeat now, then one every `heartbeatMs`. */
  start(): void {
    const { clock, heartbeatMs } = this.#options;
    this.#timer = clock.setTimer(() => this.start(), heartbeatMs);
    for (const replicator of this.#replicators) replicator.heartbeat();
  }

  /** The log has grown. */
  replicate(): void {
    for (const replicator of this.#replicators) replicator.replicate();
  }

  /** The highest index that a majority holds, this node's whole log included. */
  quorumIndex(): number {
    const held = [this.#options.log.lastIndex, ...this.#replicators.map((each) => each.matchIndex)];
    held.sort((a, b) => b - a);
    return held[Math.floor(held.length / 2)] ?? 0;
  }

  stop(): void {
    this.#timer?.cancel();
    for (const replicator of this.#replicators) replicator.stop();
  }
}
