import { describe, expect, it } from "vitest";
import { createRaftPeer } from "../../src/raft-peer/index.js";
import { type DialPlan, FakeNetwork } from "../support/fake-network.js";
import { ManualClock } from "../support/manual-clock.js";
import { fixedRandom, SeededRandom } from "../support/seeded-random.js";

const ADDRESS = "10.0.0.1:5001";
const HEARTBEAT = { term: 7, leaderId: 1, prevLogIndex: 9, prevLogTerm: 6, leaderCommit: 8, entries: [] };
const HEARTBEAT_EVERY_MS = 125;
const OUTAGE_MS = 60_000;

/** How long after the end of an outage a heartbeat is on its way to the peer, in ms. */
async function msUntilHeartbeat(outage: DialPlan, roll: number | null, seed = 1): Promise<number> {
  const clock = new ManualClock();
  const random = roll === null ? new SeededRandom(seed) : fixedRandom(roll);
  const network = new FakeNetwork(clock);
  network.plan(ADDRESS, outage);
  const { makeChannel, lookup } = network;
  const peer = createRaftPeer(ADDRESS, { insecure: true }, { clock, random, makeChannel, lookup });
  const beat = (): void => {
    void peer.appendEntries(HEARTBEAT);
  };
  for (let ms = 0; ms < OUTAGE_MS; ms += HEARTBEAT_EVERY_MS) {
    beat();
    await clock.advance(HEARTBEAT_EVERY_MS);
  }
  network.plan(ADDRESS, "ready");
  const backAt = clock.now();
  for (let ms = 0; network.calls.length === 0 && ms < 5_000; ms += 5) {
    if (ms % HEARTBEAT_EVERY_MS === 0) beat();
    await clock.advance(5);
  }
  const waitedMs = clock.now() - backAt;
  await peer.close();
  return waitedMs;
}

describe("a peer that is back after 60 s", () => {
  it.each(["refuse", "hang", "silent"] as const)(
    "gets a heartbeat in less than 500 ms, half of the shortest election, after an outage by %s",
    async (outage) => {
      for (const roll of [0, 0.999_999, null]) {
        expect(await msUntilHeartbeat(outage, roll)).toBeLessThan(500);
      }
    },
  );
});
