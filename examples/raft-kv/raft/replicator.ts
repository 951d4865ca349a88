import type { AppendEntriesRequest, AppendEntriesResponse, RaftPeer } from "holdfast";
import type { RaftLog } from "./raft-log.js";

/** What the replicators of one leader, in one term, share. */
export interface ReplicationContext {
  readonly term: number;
  readonly me: number;
  readonly log: RaftLog;
  readonly commitIndex: () => number;
  /** Told of every term in a reply, also after the end. */
  readonly onTerm: (term: number) => void;
  /** A follower has been found to hold more of the log than was known. */
  readonly onMatch: () => void;
}

/** Of a follower that was away for long: it moves on with each request, and one that is gone costs little. */
const MAX_ENTRIES = 1_000;
const MAX_BYTES = 1024 * 1024;

/** Brings one follower's log up to the leader's: at most one request in flight, and none waits for another follower. */
export class Replicator {
  readonly #peer: RaftPeer;
  readonly #context: ReplicationContext;
  #nextIndex: number;
  #matchIndex = 0;
  #state: "idle" | "sending" | "failing" | "stopped" = "idle";

  constructor(peer: RaftPeer, context: ReplicationContext) {
    this.#peer = peer;
    this.#context = context;
    this.#nextIndex = context.log.lastIndex + 1;
  }

  /** The follower is known to have everything up to here. */
  get matchIndex(): number {
    return this.#matchIndex;
  }

  /** The log has grown. A peer that has just failed waits for the next heartbeat, or load would hammer a dead one. */
  replicate(): void {
    if (this.#state === "idle") this.#send();
  }

  heartbeat(): void {
    if (this.#state === "idle" || this.#state === "failing") this.#send();
  }

  /** The role or the term has changed: replies that come now mean nothing. */
  stop(): void {
    this.#state = "stopped";
  }

  #send(): void {
    const { term, me, log, commitIndex, onTerm } = this.#context;
    const prevLogIndex = this.#nextIndex - 1;
    const entries = log.from(this.#nextIndex, MAX_ENTRIES, MAX_BYTES);
    const request: AppendEntriesRequest = {
      term,
      leaderId: me,
      prevLogIndex,
      prevLogTerm: log.termAt(prevLogIndex),
      // No further than this request shows the follower's log to be ours, or eraft's followers would commit a stale tail.
      leaderCommit: Math.min(commitIndex(), prevLogIndex + entries.length),
      entries,
    };
    this.#state = "sending";
    void this.#peer.appendEntries(request).then((result) => {
      if (result.ok) onTerm(result.reply.term);
      if (this.#state === "stopped") return;
      if (!result.ok && result.acceptedIndex !== undefined) this.#matched(result.acceptedIndex);
      this.#state = result.ok ? "idle" : "failing";
      if (result.ok && result.reply.term === term) this.#onReply(request, result.reply);
    });
  }

  #onReply(request: AppendEntriesRequest, reply: AppendEntriesResponse): void {
    if (!reply.success) {
      this.#nextIndex = this.#backUp(request.prevLogIndex, reply);
      // Every log agrees before its first entry; who refuses even that is asked again at the pace of heartbeats.
      if (request.prevLogIndex > 0) this.#send();
      else this.#state = "failing";
      return;
    }
    // From our own request, never from the reply, whose fields mean nothing then.
    this.#matched(request.prevLogIndex + request.entries.length);
    if (this.#nextIndex <= this.#context.log.lastIndex) this.replicate();
  }

  /** The follower has our log up to there. */
  #matched(index: number): void {
    this.#nextIndex = index + 1;
    if (index <= this.#matchIndex) return;
    this.#matchIndex = index;
    this.#context.onMatch();
  }

  /** Always below what was just refused, so that it ends, and never below the first entry. */
  #backUp(prevLogIndex: number, { conflictIndex, conflictTerm }: AppendEntriesResponse): number {
    const last = conflictTerm < 0 ? null : this.#context.log.lastOfTerm(conflictTerm, prevLogIndex);
    const next = last === null ? conflictIndex : last + 1;
    return Math.max(1, Math.min(next, prevLogIndex));
  }
}
