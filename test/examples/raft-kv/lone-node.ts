import type { AppendEntriesRequest, LogEntry } from "holdfast";
import { RaftNode } from "../../../examples/raft-kv/raft/raft-node.js";
import type { RaftNodeOptions, RoleChange } from "../../../examples/raft-kv/raft/raft-node-options.js";
import { RaftStorage } from "../../../examples/raft-kv/raft/raft-storage.js";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { MemoryDisk } from "../../support/memory-disk.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { texts } from "./entries.js";
import { ScriptedPeer } from "./scripted-peer.js";

interface LoneNodeOptions {
  /** Servers in the cluster. Default 3. */
  readonly servers?: number;
  readonly disk?: MemoryDisk;
  /** The log it starts with; its last entry's term is the term. */
  readonly log?: readonly LogEntry[];
  readonly makeRaft?: (options: RaftNodeOptions) => RaftNode;
}

/** Node 0 of a cluster whose other nodes are the test. */
export class LoneNode {
  readonly clock = new ManualClock();
  readonly disk: MemoryDisk;
  readonly peers: readonly ScriptedPeer[];
  readonly raft: RaftNode;
  readonly applied: LogEntry[] = [];
  readonly roles: RoleChange[] = [];
  readonly fatal: Error[] = [];

  constructor({ servers = 3, disk = new MemoryDisk(), log = [], makeRaft }: LoneNodeOptions = {}) {
    this.disk = disk;
    if (log.length > 0) saveLog(disk, log);
    this.peers = Array.from({ length: servers - 1 }, () => new ScriptedPeer());
    const make = makeRaft ?? ((options: RaftNodeOptions) => new RaftNode(options));
    this.raft = make({
      me: 0,
      peers: [null, ...this.peers],
      disk,
      clock: this.clock,
      random: new SeededRandom(1),
      apply: (entry) => this.applied.push(entry),
      onRole: (role) => this.roles.push(role),
      onFatal: (error) => this.fatal.push(error),
    });
    this.raft.start();
  }

  get term(): number {
    return this.raft.status().term;
  }

  get role(): string {
    return this.raft.status().role;
  }

  get appliedTexts(): string[] {
    return texts(this.applied);
  }

  /** Lets the election timer run out. */
  async stand(): Promise<void> {
    const { term } = this;
    while (this.term === term) await this.clock.advance(100);
  }

  /** Stands and is voted for by every peer; the no-op is on its way to them. */
  async lead(): Promise<void> {
    await this.stand();
    for (const { votes } of this.peers) votes.at(-1)?.reply({ term: this.term, voteGranted: true });
    await settle();
  }

  /** Proposes a text and lets it be written. */
  async propose(text: string): Promise<{ index: number; term: number } | null> {
    const proposal = this.raft.propose(Buffer.from(text));
    await this.clock.advance(0);
    return proposal;
  }

  /** As node 1, leader of this term, would send it. */
  append(
    term: number,
    [prevLogIndex, prevLogTerm]: readonly [number, number],
    entries: readonly LogEntry[],
    leaderCommit = 0,
  ) {
    const request: AppendEntriesRequest = {
      ...{ term, leaderId: 1, prevLogIndex, prevLogTerm, entries, leaderCommit },
    };
    return this.raft.appendEntries(request);
  }

  vote(term: number, candidateId: number, [lastLogIndex, lastLogTerm]: readonly [number, number] = [0, 0]) {
    return this.raft.requestVote({ term, candidateId, lastLogIndex, lastLogTerm });
  }
}

function saveLog(disk: MemoryDisk, log: readonly LogEntry[]): void {
  const storage = new RaftStorage(disk);
  storage.load();
  storage.save({ term: log.at(-1)!.term, votedFor: null }, log);
}
