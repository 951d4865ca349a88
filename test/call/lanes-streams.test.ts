import { describe, expect, it } from "vitest";
import { settle } from "../support/manual-clock.js";
import { A, B, LanesBench, pickedBy, slotOf } from "./lanes-bench.js";

async function separated(options: object = {}): Promise<LanesBench> {
  return new LanesBench({ separateStreams: true, ...options }).awake();
}

describe("calls with a response stream, where they are kept apart", () => {
  it("have connections of their own, made when the first one comes", async () => {
    const bench = await separated();
    const calls = bench.backend.transportFor(undefined, false);
    expect(bench.network.dials).toHaveLength(1);

    const streams = bench.backend.transportFor(undefined, true);
    await settle();

    expect(bench.network.dials).toHaveLength(2);
    expect(slotOf(streams)).not.toBe(slotOf(calls));
    expect(bench.backend.transportFor(undefined, true)).toBe(streams);
  });

  it("leave the others their room, and share what is known of the endpoint", async () => {
    const bench = await separated({ maxStreamsPerConnection: 1 });
    const streams = bench.backend.transportFor(undefined, true);
    await settle();

    const slot = slotOf(streams);
    slot.callStarted();

    expect(pickedBy(streams)).toBe("queue");
    expect(pickedBy(bench.backend.transport)).toBe(A);
    expect(slotOf(bench.backend.transport).standing).toBe(slot.standing);
    expect(bench.backend.endpoints()[0]?.callsInFlight).toBe(1);
  });

  it("are apart for each compression, too", async () => {
    const bench = await separated();
    const lanes = [
      bench.backend.transportFor("gzip", true),
      bench.backend.transportFor("gzip", false),
      bench.backend.transportFor("identity", true),
      bench.backend.transportFor("identity", false),
    ];
    await settle();

    expect(new Set(lanes).size).toBe(4);
    expect(bench.compressions.filter((compression) => compression === "gzip")).toHaveLength(2);
  });

  it("follow the endpoints, and a loss among them is no evidence against an endpoint that serves the others", async () => {
    const bench = await separated({ breaker: { consecutiveFailures: 1 } });
    const streams = bench.backend.transportFor(undefined, true);
    await settle();

    bench.network.last(A).lose();
    await settle();
    expect(pickedBy(bench.backend.transport)).toBe(A);
    bench.backend.updateEndpoints([B]);
    await settle();

    expect([pickedBy(streams), pickedBy(bench.backend.transport)]).toEqual([B, B]);
  });

  it("are verified after a pause, replaced and closed as the others are", async () => {
    const bench = await separated();
    const streams = bench.backend.transportFor(undefined, true);
    await settle();
    bench.backend.rotate("new certificates");
    await settle();
    expect(bench.network.dials).toHaveLength(4);
    expect(bench.openSockets).toBe(2);

    bench.backend.verify("a pause");
    expect([pickedBy(streams), pickedBy(bench.backend.transport)]).toEqual(["queue", "queue"]);
    bench.backend.enterIdle();
    await bench.clock.advance(2_000);

    expect(bench.openSockets).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});

it("without being asked for, streams share the connections of the other calls", async () => {
  const bench = await new LanesBench().awake();

  const streams = bench.backend.transportFor(undefined, true);
  await settle();

  expect(streams).toBe(bench.backend.transport);
  expect(bench.network.dials).toHaveLength(1);
});

it("a channel that is closed opens no connection for a stream", async () => {
  const bench = await separated();

  bench.backend.release({ drainMs: 0 });
  bench.backend.transportFor(undefined, true);
  await settle();

  expect(bench.network.dials).toHaveLength(1);
});
