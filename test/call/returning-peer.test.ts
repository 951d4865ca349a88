import { describe, expect, it } from "vitest";
import { A, ChannelBench } from "../support/channel-bench.js";
import { fixedRandom } from "../support/seeded-random.js";

/** A Raft leader's, and how long it waits for the answer. */
const HEARTBEAT_MS = 125;
const TIMEOUT_MS = 100;
const OUTAGE_MS = 60_000;

/** When the peer comes back, counted from a heartbeat, and the jitter of the backoff: shortest, none, longest. */
const scenes = [0, 40, 80, 120].flatMap((phaseMs) => [0, 0.5, 0.999].map((chance) => ({ phaseMs, chance })));

/** A leader that sends heartbeats to one peer, which is up. */
async function leader(chance: number): Promise<ChannelBench> {
  const bench = new ChannelBench({ preset: "raft" }, { random: fixedRandom(chance) });
  await bench.ready();
  await bench.unary(heartbeat(bench));
  bench.network.current.ok();
  await bench.advance(HEARTBEAT_MS);
  return bench;
}

/** One heartbeat, and the time until the next is due. */
async function beat(bench: ChannelBench): Promise<void> {
  await bench.unary(heartbeat(bench));
  await bench.advance(HEARTBEAT_MS);
}

function heartbeat(bench: ChannelBench) {
  return { method: "/raftpb.RaftService/AppendEntries", deadline: bench.clock.epoch() + TIMEOUT_MS };
}

/** Lets the minute pass, brings the peer back, and tells how long after that the first heartbeat left for it, in ms. */
async function msToFirstHeartbeat(bench: ChannelBench, phaseMs: number): Promise<number> {
  for (let ms = 0; ms < OUTAGE_MS; ms += HEARTBEAT_MS) await beat(bench);
  await bench.advance(phaseMs);
  const { clock, network } = bench;
  const [sent, returnedAt] = [network.calls.length, clock.now()];
  network.plan(A, "ready");
  await bench.advance(HEARTBEAT_MS - phaseMs);
  while (network.calls.length === sent && clock.now() < returnedAt + 5_000) await beat(bench);
  return clock.now() - HEARTBEAT_MS - returnedAt;
}

/**
 * G06: the shortest election timeout of a peer is 1,000 ms. One that hears nothing for longer calls an election, and
 * gRPC's own wait of up to 120 s between dials would make every returning peer do so.
 */
describe.each(scenes)(
  "a Raft peer that comes back $phaseMs ms after a heartbeat, chance $chance",
  (scene) => {
    it("from a minute of refused connections gets the next heartbeat within 500 ms", async () => {
      const bench = await leader(scene.chance);
      bench.network.plan(A, "refuse");
      bench.network.last(A).lose();

      const waitedMs = await msToFirstHeartbeat(bench, scene.phaseMs);

      expect(waitedMs).toBeLessThan(500);
      expect(bench.network.dials.length).toBeLessThan((1.5 * OUTAGE_MS) / 160);
      await bench.channel.close({ drainMs: 0 });
    });

    it.each(["hang", "silent"] as const)(
      "from a minute of lost packets (dials: %s) gets the next heartbeat within 500 ms",
      async (plan) => {
        const bench = await leader(scene.chance);
        bench.network.plan(A, plan);

        const waitedMs = await msToFirstHeartbeat(bench, scene.phaseMs);

        expect(waitedMs).toBeLessThan(500);
        expect(bench.network.calls.length).toBeLessThan(10);
        await bench.channel.close({ drainMs: 0 });
      },
    );
  },
);
