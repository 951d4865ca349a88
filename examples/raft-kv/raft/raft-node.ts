import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  RaftHandler,
  RaftPeer,
  RequestVoteRequest,
  RequestVoteResponse,
} from "holdfast";
import { RequestRefused } from "../request-refused.js";
import { Campaign } from "./campaign.js";
import { CommittedLog } from "./committed-log.js";
import { DurableState } from "./durable-state.js";
import { ElectionTimer } from "./election-timer.js";
import { Leadership } from "./leadership.js";
import { NO_OP } from "./no-op.js";
import { ProposalBatch } from "./proposal-batch.js";
import type { Proposal, RaftNodeOptions, RaftStatus } from "./raft-node-options.js";
import { RaftStorage } from "./raft-storage.js";
import { type RaftTiming, resolveTiming } from "./raft-timing.js";
import { checkAppendEntries, checkRequestVote } from "./request-check.js";
import { isTerm, nextTerm } from "./term.js";

type Role =
  | { readonly name: "Follower" }
  | { readonly name: "Candidate"; readonly campaign: Campaign }
  | { readonly name: "Leader"; readonly leadership: Leadership };

/**
 * One node of a Raft cluster: election, replication and persistence as eraft's, with the whole log kept. Deterministic:
 * it acts only when a request, a reply or a timer of its clock arrives. Whatever it tells anyone is on disk first.
 */
export class RaftNode implements RaftHandler {
  readonly #options: RaftNodeOptions;
  readonly #timing: RaftTiming;
  readonly #state: DurableState;
  readonly #committed: CommittedLog;
  readonly #followers: readonly RaftPeer[];
  readonly #electionTimer: ElectionTimer;
  readonly #proposals: ProposalBatch;
  #life: "new" | "running" | "stopped" = "new";
  #role: Role = { name: "Follower" };

  /** @throws LogCorruptError, or RangeError naming the timing value that is not allowed */
  constructor(options: RaftNodeOptions) {
    const { me, peers, clock, random } = options;
    this.#options = options;
    this.#timing = resolveTiming(options.timing);
    this.#followers = peers.filter((peer, id): peer is RaftPeer => peer !== null && id !== me);
    this.#state = new DurableState(new RaftStorage(options.disk));
    this.#committed = new CommittedLog(this.#state, options.apply);
    this.#proposals = new ProposalBatch(clock, () => this.#safely(() => this.#flush()));
    const onTimeout = () => this.#safely(() => this.#campaign());
    this.#electionTimer = new ElectionTimer({ clock, random, timing: this.#timing, onTimeout });
  }

  status(): RaftStatus {
    const { term, log, bytes } = this.#state;
    const indexes = { commitIndex: this.#committed.index, lastIndex: log.lastIndex };
    return { role: this.#role.name, term, ...indexes, storageBytes: bytes };
  }

  /** Bytes of a record torn by the last crash, which were cut off; 0 when there was none. */
  get cutBytes(): number {
    return this.#state.cutBytes;
  }

  /** Requests are refused before. A stopped node does not start again: make another on the same disk. */
  start(): void {
    if (this.#life !== "new") return;
    this.#life = "running";
    this.#electionTimer.reset();
  }

  /** Ends every timer and closes the disk; requests are refused from now on. May be called again. */
  stop(): void {
    if (this.#life === "stopped") return;
    this.#life = "stopped";
    if (this.#role.name !== "Follower") this.#become({ name: "Follower" });
    this.#electionTimer.stop();
    this.#state.close();
  }

  /**
   * Asks for a command to be put into the log. It is committed when it is applied with this index and this term, and
   * whether it ever will be is open from the moment this node is no longer leader.
   * @returns null when this node is not the leader: nothing has been done then
   */
  propose(command: Uint8Array): Proposal | null {
    if (this.#role.name !== "Leader") return null;
    const position = this.#proposals.add(command);
    return { index: this.#state.log.lastIndex + position, term: this.#state.term };
  }

  requestVote(request: RequestVoteRequest): RequestVoteResponse {
    this.#checkRunning();
    checkRequestVote(request, this.#options);
    const { term, candidateId } = request;
    return this.#guarded(() => {
      const voteGranted = this.#mayVote(request);
      if (term > this.#state.term) this.#follow(term, voteGranted ? candidateId : null);
      else if (voteGranted && this.#state.votedFor === null) this.#state.vote(this.#state.term, candidateId);
      if (voteGranted) this.#electionTimer.reset();
      return { term: this.#state.term, voteGranted };
    });
  }

  appendEntries(request: AppendEntriesRequest): AppendEntriesResponse {
    this.#checkRunning();
    checkAppendEntries(request, this.#options);
    return this.#guarded(() => {
      const refused = { success: false, conflictIndex: 0, conflictTerm: 0 };
      if (this.isStale(request.term, this.#state.term)) return { ...refused, term: this.#state.term };
      if (request.term > this.#state.term || this.#role.name !== "Follower") this.#follow(request.term);
      this.#electionTimer.reset();
      if (request.prevLogIndex < 0) return { ...refused, term: 0 };
      const { term, log } = this.#state;
      const conflict = log.conflictAt(request.prevLogIndex, request.prevLogTerm);
      if (conflict !== null) return { ...conflict, term, success: false };
      this.#committed.adopt(request);
      this.#committed.commitTo(this.commitIndexAfter(request, log.lastIndex));
      return { ...refused, term, success: true };
    });
  }

  /** The log is kept whole here, so no leader needs to send a snapshot, and none is taken. */
  installSnapshot(_request: InstallSnapshotRequest): InstallSnapshotResponse {
    this.#checkRunning();
    return { term: this.#state.term };
  }

  /** The term guard: whether a request comes from a leader or candidate of the past. Tests switch it off. */
  protected isStale(requestTerm: number, ownTerm: number): boolean {
    return requestTerm < ownTerm;
  }

  /**
   * How far a follower may commit: no further than the request shows its log to be the leader's, whatever stands after
   * that. Tests put eraft's rule here, min(leaderCommit, lastIndex).
   */
  protected commitIndexAfter(request: AppendEntriesRequest, _lastIndex: number): number {
    return Math.min(request.leaderCommit, request.prevLogIndex + request.entries.length);
  }

  #mayVote({ term, candidateId, lastLogIndex, lastLogTerm }: RequestVoteRequest): boolean {
    const { term: ownTerm, votedFor, log } = this.#state;
    if (this.isStale(term, ownTerm)) return false;
    const isFree = term > ownTerm || votedFor === null || votedFor === candidateId;
    return isFree && log.isUpToDate(lastLogIndex, lastLogTerm);
  }

  #campaign(): void {
    const { me, peers } = this.#options;
    this.#state.vote(nextTerm(this.#state.term), me);
    const { term, log } = this.#state;
    const campaign = new Campaign({
      request: { term, candidateId: me, lastLogIndex: log.lastIndex, lastLogTerm: log.lastTerm },
      voters: this.#followers,
      quorum: Math.floor(peers.length / 2) + 1,
      onTerm: (seen) => this.#observe(seen),
      onWon: () => this.#safely(() => this.#lead()),
    });
    this.#become({ name: "Candidate", campaign });
    campaign.start();
  }

  #lead(): void {
    const { term, log } = this.#state;
    const leadership = new Leadership({
      term,
      log,
      me: this.#options.me,
      followers: this.#followers,
      clock: this.#options.clock,
      heartbeatMs: this.#timing.heartbeatMs,
      commitIndex: () => this.#committed.index,
      onTerm: (seen) => this.#observe(seen),
      onMatch: () => this.#safely(() => this.#committed.commitAsLeader(leadership.quorumIndex())),
    });
    this.#electionTimer.stop();
    this.#become({ name: "Leader", leadership });
    // Entries of earlier terms are committed only together with one of this term after them.
    this.#proposals.add(NO_OP);
    this.#flush();
    leadership.start();
  }

  /** Waits for, or follows, the leader of this term. */
  #follow(term: number, votedFor: number | null = null): void {
    if (term > this.#state.term) this.#state.vote(term, votedFor);
    if (this.#role.name === "Leader") this.#electionTimer.reset();
    this.#become({ name: "Follower" });
  }

  /** A higher term, wherever it is seen, ends what this node was. */
  #observe(term: number): void {
    if (this.#life === "running" && isTerm(term) && term > this.#state.term)
      this.#safely(() => this.#follow(term));
  }

  #become(role: Role): void {
    const last = this.#role;
    if (last.name === "Candidate") last.campaign.stop();
    if (last.name === "Leader") last.leadership.stop();
    this.#proposals.take();
    this.#role = role;
    this.#options.onRole?.({ role: role.name, term: this.#state.term });
  }

  #flush(): void {
    const commands = this.#proposals.take();
    if (this.#role.name !== "Leader") return;
    const { term, log } = this.#state;
    const first = log.lastIndex + 1;
    this.#state.append(commands.map((command, at) => ({ index: first + at, term, command })));
    this.#role.leadership.replicate();
    this.#committed.commitAsLeader(this.#role.leadership.quorumIndex());
  }

  #checkRunning(): void {
    if (this.#life !== "running") throw RequestRefused.notRunning();
  }

  /** A node that cannot write, or sees Raft's promises broken, must not go on: what it says next could be wrong. */
  #guarded<T>(act: () => T): T {
    try {
      return act();
    } catch (error) {
      try {
        this.stop();
      } finally {
        this.#options.onFatal(error instanceof Error ? error : new Error(String(error)));
      }
      throw error;
    }
  }

  /** As `#guarded`, for timers and replies, where nobody could catch. */
  #safely(act: () => void): void {
    try {
      this.#guarded(act);
    } catch {
      // onFatal has been told.
    }
  }
}
