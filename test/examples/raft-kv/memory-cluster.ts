import type { KvCommand, KvReply } from "holdfast";
import { KvNode } from "../../../examples/raft-kv/kv-node.js";
import { RaftNode } from "../../../examples/raft-kv/raft/raft-node.js";
import { createRaftPeerOver, MemoryNetwork } from "../../../src/raft-peer/index.js";
import { ManualClock } from "../../support/manual-clock.js";
import { MemoryDisk } from "../../support/memory-disk.js";
import { RaftWitness } from "../../support/raft-witness.js";
import { SeededRandom } from "../../support/seeded-random.js";

interface Member {
  node: KvNode | null;
  disk: MemoryDisk;
}

/** KV nodes over a `MemoryNetwork` and memory disks, on a manual clock, with a witness. */
export class MemoryCluster {
  readonly clock = new ManualClock();
  readonly random: SeededRandom;
  readonly network: MemoryNetwork;
  readonly #witness = new RaftWitness();
  readonly addresses: readonly string[];
  readonly #members: readonly Member[];

  constructor(size: number, seed: number) {
    this.random = new SeededRandom(seed);
    this.network = new MemoryNetwork({ clock: this.clock, random: this.random });
    this.addresses = Array.from({ length: size }, (_, id) => `node-${id}`);
    this.#members = this.addresses.map(() => ({ node: null, disk: new MemoryDisk() }));
    this.addresses.forEach((_, id) => void this.start(id));
  }

  /** Broken promises, as text; empty in the end. */
  get violations(): string[] {
    return this.#witness.violations;
  }

  start(id: number): void {
    const member = this.#members[id]!;
    const address = this.addresses[id]!;
    this.#witness.started(id);
    const node = new KvNode({
      me: id,
      peers: this.addresses.map((to, other) =>
        other === id ? null : createRaftPeerOver(this.network.link(address, to), {}, { clock: this.clock }),
      ),
      disk: member.disk,
      clock: this.clock,
      random: this.random,
      onRole: (change) => this.#witness.roleTaken(id, change),
      onFatal: (error) => this.#witness.stopped(id, error),
      makeRaft: (options) =>
        new RaftNode({
          ...options,
          apply: (entry) => {
            this.#witness.applied(id, entry);
            options.apply(entry);
          },
        }),
    });
    member.node = node;
    node.start();
    this.network.serve(address, { raft: node.raft, kv: node.kv });
  }

  /** The power goes; what chance leaves of the disk is what the next start finds. */
  crash(id: number): void {
    const member = this.#members[id]!;
    const disk = member.disk.crash(this.random);
    this.network.remove(this.addresses[id]!);
    member.node?.stop();
    member.node = null;
    member.disk = disk;
  }

  /** Leaves the node alone on its side. */
  isolate(id: number): void {
    this.network.partition([[this.addresses[id]!], this.addresses.filter((_, other) => other !== id)]);
  }

  isUp(id: number): boolean {
    return this.#members[id]!.node !== null;
  }

  /** The leader of the highest term among the nodes that run. */
  async leader(): Promise<number | null> {
    const statuses = this.#members.flatMap(({ node }) => (node === null ? [] : [node.kv.status()]));
    const leaders = (await Promise.all(statuses)).filter(({ state }) => state === "Leader");
    return leaders.sort((a, b) => b.term - a.term)[0]?.id ?? null;
  }

  /** Moves time on until there is a leader that has committed its no-op. */
  async elected(): Promise<number> {
    for (let waitedMs = 0; waitedMs < 60_000; waitedMs += 100) {
      await this.clock.advance(100);
      const leader = await this.leader();
      if (leader === null) continue;
      const { err } = await this.command(leader, { op: "get" });
      if (err === "OK" || err === "ErrNoKey") return leader;
    }
    throw new Error("no leader within a minute");
  }

  /** Asks one node and moves time on until it answers; a node that is down answers ErrTimeout. */
  async command(id: number, command: Partial<KvCommand>): Promise<KvReply> {
    const { node } = this.#members[id]!;
    if (node === null) return { err: "ErrTimeout", value: "" };
    const whole: KvCommand = { op: "put", key: "k", value: "", clientId: 1n, commandId: 0n, ...command };
    let reply: KvReply | null = null;
    void Promise.resolve(node.kv.command(whole)).then((settled) => {
      reply = settled;
    });
    for (await this.clock.advance(0); reply === null; ) await this.clock.advance(10);
    return reply;
  }

  /** Ends everything; timers left are a violation. */
  async stop(): Promise<void> {
    for (const { node } of this.#members) node?.stop();
    for (const address of this.addresses) this.network.remove(address);
    await this.clock.advance(10_000);
    if (this.clock.pendingTimers > 0) this.violations.push(`${this.clock.pendingTimers} timers are left`);
  }
}
