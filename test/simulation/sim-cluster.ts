import { KvNode } from "../../examples/raft-kv/kv-node.js";

import type { Random } from "../../src/core/index.js";
import { codecOr } from "../../src/raft-peer/command-codec.js";
import { MemoryNetwork, type NodeStatus, type RaftPeer } from "../../src/raft-peer/index.js";
import { LinkedPeer } from "../../src/raft-peer/linked-peer.js";
import { linkedPeerOptionsSchema } from "../../src/raft-peer/raft-peer-options.js";
import { RaftWitness } from "../support/raft-witness.js";
import type { SimClock } from "../support/sim-clock.js";
import type { Rules } from "./rules.js";
import { PowerLoss, type SimDisk } from "./sim-disk.js";

/** Small, so that a follower that was away is brought up in parts. */
const MAX_APPEND_BYTES = 160;
const POWER_CUT_MS = 400;
const TIMING = { heartbeatMs: 50, electionMinMs: 200, electionMaxMs: 400 };

interface Machine {
  readonly address: string;
  disk: SimDisk;
  node: KvNode | null;
  peers: readonly (RaftPeer | null)[];
}

/** The example's nodes on a `MemoryNetwork`, with disks that forget what was not synced. */
export class SimCluster {
  readonly network: MemoryNetwork;
  readonly machines: readonly Machine[];
  readonly witness = new RaftWitness();
  /** Restarts that found a torn record. */
  tornTails = 0;
  #isStopped = false;
  readonly #clock: SimClock;
  readonly #random: Random;
  readonly #rules: Rules;

  constructor(size: number, clock: SimClock, random: Random, rules: Rules, trace: (line: string) => void) {
    this.#clock = clock;
    this.#random = random;
    this.#rules = rules;
    this.network = new MemoryNetwork({ clock, random, trace });
    this.machines = Array.from({ length: size }, (_, id) => ({
      address: `node-${id}:1`,
      disk: rules.makeDisk(),
      node: null,
      peers: [],
    }));
    for (const id of this.machines.keys()) this.start(id);
  }

  get addresses(): string[] {
    return this.machines.map(({ address }) => address);
  }

  get running(): number {
    return this.machines.filter(({ node }) => node !== null).length;
  }

  /** Who calls itself leader, of the highest term. */
  get leader(): number | null {
    let [best, term] = [null as number | null, -1];
    for (const [id, { node }] of this.machines.entries()) {
      const status = node?.kv.status() as NodeStatus | undefined;
      if (status?.state === "Leader" && status.term > term) [best, term] = [id, status.term];
    }
    return best;
  }

  start(id: number): void {
    const machine = this.#machine(id);
    if (machine.node !== null) return;
    machine.peers = this.machines.map(({ address }, other) =>
      other === id ? null : this.#peer(machine.address, address),
    );
    this.witness.started(id);
    const node = new KvNode({
      me: id,
      peers: machine.peers,
      disk: machine.disk,
      clock: this.#clock,
      random: this.#random,
      timing: TIMING,
      store: this.#rules.makeStore(),
      makeRaft: (options) =>
        this.#rules.makeRaft({
          ...options,
          apply: (entry) => {
            this.witness.applied(id, entry);
            options.apply(entry);
          },
        }),
      onRole: (change) => this.witness.roleTaken(id, change),
      onFatal: (error) => {
        if (error instanceof PowerLoss) this.#powerCut(id);
        else this.witness.stopped(id, error);
      },
    });
    if (node.cutBytes > 0) this.tornTails += 1;
    this.network.serve(machine.address, { raft: node.raft, kv: node.kv });
    machine.node = node;
    node.start();
  }

  /** The power goes: no reply leaves any more, and the disk forgets. */
  crash(id: number): void {
    const machine = this.#machine(id);
    if (machine.node === null) return;
    this.network.remove(machine.address);
    machine.disk = machine.disk.crash(this.#random);
    machine.node.stop();
    machine.node = null;
    this.#closePeers(machine);
  }

  /** The power will go in the middle of this node's next write, and come back. */
  crashAtNextWrite(id: number): void {
    const { node, disk } = this.#machine(id);
    if (node !== null) disk.failAtSync();
  }

  stop(): void {
    this.#isStopped = true;
    for (const machine of this.machines) {
      machine.node?.stop();
      this.#closePeers(machine);
    }
  }

  #powerCut(id: number): void {
    this.crash(id);
    this.#clock.setTimer(() => {
      if (!this.#isStopped) this.start(id);
    }, POWER_CUT_MS);
  }

  #peer(from: string, to: string): RaftPeer {
    const options = linkedPeerOptionsSchema.parse({ maxAppendBytes: MAX_APPEND_BYTES });
    const parts = { clock: this.#clock, codec: codecOr<Uint8Array>(undefined), ...this.#rules.peerParts };
    return new LinkedPeer(this.network.link(from, to), options, parts);
  }

  #closePeers(machine: Machine): void {
    for (const peer of machine.peers) peer?.close({ drainMs: 0 }).catch(() => {});
    machine.peers = [];
  }

  #machine(id: number): Machine {
    return this.machines[id] as Machine;
  }
}
