import { afterEach, expect } from "vitest";
import type { LinkedPeerOptions, RaftPeer } from "../../src/raft-peer/index.js";
import { createRaftPeerOver, MemoryNetwork } from "../../src/raft-peer/index.js";
import { ManualClock } from "../support/manual-clock.js";
import { SeededRandom } from "../support/seeded-random.js";
import { describePeerContract, type PeerSetup, quietHandler } from "./peer-contract.js";

const clock = new ManualClock();
const network = new MemoryNetwork({ clock, random: new SeededRandom(1) });
const peers: RaftPeer<never>[] = [];
let servers = 0;

afterEach(async () => {
  await Promise.all(peers.splice(0).map((peer) => peer.close()));
  expect(clock.pendingTimers).toBe(0);
});

describePeerContract("on a MemoryNetwork", {
  slackMs: 0,

  async peer<Command>({ handler, options, commandCodec }: PeerSetup<Command> = {}) {
    const address = `node-${servers++}:1`;
    const codec = commandCodec === undefined ? {} : { commandCodec };
    network.serve<Command>(address, { raft: { ...quietHandler, ...handler }, ...codec });
    return used(createRaftPeerOver<Command>(network.link("caller", address), options, { clock, ...codec }));
  },

  async lonelyPeer(options?: LinkedPeerOptions) {
    return used(createRaftPeerOver(network.link("caller", "nobody:1"), options, { clock }));
  },

  /** In steps of 1 ms, so that it stops as soon as the result is there. */
  async settle<T>(result: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = () => {
      isSettled = true;
    };
    result.then(settled, settled);
    for (let ms = 0; !isSettled && ms < 10_000; ms++) await clock.advance(ms === 0 ? 0 : 1);
    return result;
  },
});

function used<Command>(peer: RaftPeer<Command>): RaftPeer<Command> {
  peers.push(peer as RaftPeer<never>);
  return peer;
}
