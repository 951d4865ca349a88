import { credentials } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { channelOptionsSchema } from "../../src/call/channel-options.js";
import { StubBackend } from "../../src/call/stub-backend.js";
import { EventHub } from "../../src/core/index.js";
import { FakeChannel } from "../support/fake-channel.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { A, LanesBench, pickedBy, slotOf } from "./lanes-bench.js";

describe("a channel that compressed some calls", () => {
  it("closes the connections for them when it idles, and opens them again only when asked", async () => {
    const bench = new LanesBench();
    await bench.withLane("gzip");

    bench.backend.enterIdle();
    await bench.clock.advance(2_000);
    expect(bench.openSockets).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);

    bench.backend.transportFor("deflate", false);
    await settle();
    expect(bench.dials).toHaveLength(2);
    bench.backend.enterIdle();

    await bench.awake();
    expect(bench.compressions).toEqual(["identity", "gzip", "identity"]);
    const lane = bench.backend.transportFor("gzip", false);
    await settle();
    expect(pickedBy(lane)).toBe(A);
  });

  it("forgets with the idle time why no endpoints were known", async () => {
    const bench = new LanesBench({}, "dns:///users:1", () => Promise.reject(new Error("down")));
    await bench.awake();
    bench.backend.enterIdle();

    bench.backend.wake();

    expect(pickedBy(bench.backend.transportFor("gzip", false))).toBe("queue");
  });

  it.each(["release", "destroy"] as const)("leaves no socket and no timer after %s", async (how) => {
    const bench = new LanesBench();
    await bench.withLane("gzip");
    bench.network.plan(A, "hang");
    bench.backend.transportFor("deflate", false);
    await settle();
    expect(bench.openSockets).toBe(3);

    if (how === "release") bench.backend.release({ drainMs: 0 });
    else bench.backend.destroy();
    await bench.clock.advance(2_000);

    expect(bench.openSockets).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("lets compressed calls end within the time that closing allows, and no longer", async () => {
    const bench = new LanesBench();
    const lane = await bench.withLane("gzip");
    slotOf(lane).callStarted();

    bench.backend.release({ drainMs: 500 });
    await bench.clock.advance(499);
    expect(bench.last("gzip").socket.destroyed).toBe(false);
    await bench.clock.advance(1);

    expect(bench.last("gzip").socket.destroyed).toBe(true);
  });

  it("opens nothing for a call that comes after the end", async () => {
    const bench = await new LanesBench().awake();
    bench.backend.destroy();

    const lane = bench.backend.transportFor("gzip", false);
    await settle();

    expect(pickedBy(lane)).toBe("queue");
    expect(bench.dials).toHaveLength(1);
  });
});

it("a stub's own channel compresses as it was made to, so a call that asks for anything by name is refused", () => {
  const clock = new ManualClock();
  const channel = new FakeChannel(
    { address: A },
    { kind: "tcp", host: "10.0.0.1", port: 1 },
    credentials.createInsecure(),
    clock,
    { onDial: () => {}, onCall: () => {} },
  );
  const deps = { clock, random: fixedRandom(0.5), events: new EventHub() };
  const backend = new StubBackend(channel, channelOptionsSchema.parse({}), deps);

  expect(backend.transportFor(undefined)).toBe(backend.transport);
  expect(backend.transportFor("gzip")).toBeNull();
  expect(backend.transportFor("identity")).toBeNull();
  expect(backend.callsQueued).toBe(0);
});
