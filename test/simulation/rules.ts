import { KvStore } from "../../examples/raft-kv/kv/kv-store.js";
import { RaftNode } from "../../examples/raft-kv/raft/raft-node.js";
import type { RaftNodeOptions } from "../../examples/raft-kv/raft/raft-node-options.js";
import { type SplitAppend, splitAppend } from "../../src/raft-peer/append-parts.js";
import { LeaderCache } from "../../src/raft-peer/clerk/leader-cache.js";
import { type Session, SessionPool, type SessionWaiter } from "../../src/raft-peer/clerk/sessions.js";
import type { AppendEntriesRequest, AppendEntriesResponse } from "../../src/raft-peer/index.js";
import { LyingDisk, SimDisk } from "./sim-disk.js";

/** The parts of the system whose rules a test may break, to see that the checks notice. */
export interface Rules {
  makeDisk(): SimDisk;
  makeStore(): KvStore;
  makeRaft(options: RaftNodeOptions): RaftNode;
  makeCache(): LeaderCache;
  makeSessions(count: number, newClientId: () => bigint): SessionPool;
  readonly peerParts: { readonly split?: SplitAppend };
}

export const CORRECT: Rules = {
  makeDisk: () => new SimDisk(),
  makeStore: () => new KvStore(),
  makeRaft: (options) => new RaftNode(options),
  makeCache: () => new LeaderCache(),
  makeSessions: (count, newClientId) => new SessionPool(count, 1_000, newClientId),
  peerParts: {},
};

/**
 * eraft's followers commit whatever stands in their log, which is safe only with the clamp. This one also asks for more
 * of the log again than it lacks, as any follower may, so that a part can end before its stale tail does.
 */
class EraftFollower extends RaftNode {
  override appendEntries(request: AppendEntriesRequest): AppendEntriesResponse {
    const reply = super.appendEntries(request);
    if (reply.success || reply.conflictIndex <= 0) return reply;
    return { ...reply, conflictIndex: Math.max(1, reply.conflictIndex - 10), conflictTerm: -1 };
  }

  protected override commitIndexAfter(request: AppendEntriesRequest, lastIndex: number): number {
    return Math.min(request.leaderCommit, lastIndex);
  }
}

export const ERAFT_FOLLOWERS: Rules = { ...CORRECT, makeRaft: (options) => new EraftFollower(options) };

class ForgetsDuplicates extends KvStore {
  protected override isDuplicate(): boolean {
    return false;
  }
}

class BelievesThePast extends RaftNode {
  protected override isStale(): boolean {
    return false;
  }
}

class MovesBack extends LeaderCache {
  override learn(claim: Parameters<LeaderCache["learn"]>[0]): boolean {
    this.reset();
    return super.learn(claim);
  }
}

/** Lends every session to whoever asks, however many writes it has under way. */
class SharedSessions extends SessionPool {
  readonly #session: Session;

  constructor(newClientId: () => bigint) {
    super(1, 0, newClientId);
    this.#session = super.borrow({ onSession: () => {} }) as Session;
  }

  override borrow(_waiter: SessionWaiter): Session {
    return this.#session;
  }

  override giveBack(): void {}
}

const withoutClamp: SplitAppend = (request, maxBytes) => {
  const split = splitAppend(request, maxBytes);
  if (!split.ok) return split;
  return { ok: true, parts: split.parts.map((part) => ({ ...part, leaderCommit: request.leaderCommit })) };
};

/** Each breaks one rule that holds the whole together. */
export const MUTATIONS: Readonly<Record<string, Rules>> = {
  "the state machine's duplicate check": { ...CORRECT, makeStore: () => new ForgetsDuplicates() },
  "the sync before an answer": { ...CORRECT, makeDisk: () => new LyingDisk() },
  "Raft's term guard": { ...CORRECT, makeRaft: (options) => new BelievesThePast(options) },
  "the Clerk's term guard": { ...CORRECT, makeCache: () => new MovesBack() },
  "one outstanding write per session": {
    ...CORRECT,
    makeSessions: (_, newClientId) => new SharedSessions(newClientId),
  },
  "the clamp of leader_commit": { ...ERAFT_FOLLOWERS, peerParts: { split: withoutClamp } },
};
