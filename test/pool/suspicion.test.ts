import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { settle } from "../support/manual-clock.js";
import {
  ADDRESS,
  CHECK_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  DRAIN_MS,
  SubchannelBench,
} from "./subchannel-bench.js";

/** A READY connection that has lived a while and is now in doubt; further dials go by plan. */
async function suspected(...plans: Parameters<SubchannelBench["dialled"]>): Promise<SubchannelBench> {
  const bench = await new SubchannelBench().dialled("ready");
  bench.network.plan(ADDRESS, ...plans);
  await bench.clock.advance(60_000);
  bench.subchannel.suspect(bench.connection, "silence");
  await settle();
  return bench;
}

describe("a suspect connection", () => {
  it("is asked for a sign of life at once, by a health Check over itself", async () => {
    const bench = await suspected();

    const [check] = bench.dial.checks;
    expect(bench.dial.checks).toHaveLength(1);
    expect(check).toMatchObject({ isHalfClosed: true, readsAsked: 1 });
    expect(check?.timeoutAt(bench.clock.epoch())).toBe(CHECK_TIMEOUT_MS);
    expect(bench.subchannel.isSuspect).toBe(true);
    expect(bench.doubts).toEqual([{ type: "connection.suspect", cause: "silence" }]);
  });

  it("stays READY, so that it can still be used when nothing else is", async () => {
    const bench = await suspected();

    expect(bench.subchannel.state).toBe("READY");
    expect(bench.subchannel.connections).toHaveLength(1);
  });

  it("is verified once, however many calls complain", async () => {
    const bench = await suspected();

    bench.subchannel.suspect(bench.connection, "more silence");

    expect(bench.dial.checks).toHaveLength(1);
    expect(bench.doubts).toHaveLength(1);
  });

  it.each<[string, (bench: SubchannelBench) => void]>([
    ["SERVING", (bench) => bench.dial.checks[0]?.ok("\x08\x01")],
    ["UNIMPLEMENTED", (bench) => bench.dial.checks[0]?.fail(status.UNIMPLEMENTED)],
    ["response headers", (bench) => bench.dial.checks[0]?.failAfterHeaders(status.INTERNAL)],
  ])("is cleared by any answer of the server: %s", async (_what, answer) => {
    const bench = await suspected();

    answer(bench);
    await settle();

    expect(bench.doubts.at(-1)).toEqual({ type: "connection.verified", by: "health" });
    expect(bench.subchannel.isSuspect).toBe(false);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("is cleared by any byte read, though the Check queues behind the peer's stream limit", async () => {
    const bench = await suspected();

    bench.dial.hear();
    await bench.clock.advance(CHECK_TIMEOUT_MS);

    expect(bench.doubts.at(-1)).toEqual({ type: "connection.verified", by: "bytes" });
    expect(bench.network.dials).toHaveLength(1);
  });

  it("is put to the test of a fresh dial when the Check is not answered in time, not before", async () => {
    const bench = await suspected("hang");
    await bench.clock.advance(CHECK_TIMEOUT_MS - 1);
    expect(bench.network.dials).toHaveLength(1);

    await bench.clock.advance(1);

    expect(bench.network.dials).toHaveLength(2);
    expect(bench.subchannel.state).toBe("READY");
  });

  it("is not cleared by a status that grpc-js made up", async () => {
    const bench = await suspected("hang");

    bench.dial.checks[0]?.endLocally(status.UNAVAILABLE, "Stream refused by server");
    await bench.clock.advance(CHECK_TIMEOUT_MS);

    expect(bench.network.dials).toHaveLength(2);
  });
});

describe("the fresh dial beside a suspect", () => {
  it("replaces it when it succeeds, and the old connection drains", async () => {
    const bench = await suspected("ready");
    const old = bench.connection;
    await bench.startCall();

    await bench.clock.advance(CHECK_TIMEOUT_MS);

    expect(bench.doubts.at(-1)).toEqual({ type: "connection.verified", by: "dial" });
    expect(bench.connection).not.toBe(old);
    expect(old.state).toBe("draining");
    expect(bench.words).toEqual(["IDLE", "CONNECTING", "READY"]);
    await bench.clock.advance(DRAIN_MS);
    expect(old.state).toBe("closed");
    expect(bench.openSockets).toBe(1);
  });

  it("proves it dead when it fails: its calls end now, as one loss", async () => {
    const bench = await suspected("hang");
    await bench.startCall();
    await bench.startCall();
    await bench.clock.advance(CHECK_TIMEOUT_MS);

    await bench.clock.advance(CONNECT_TIMEOUT_MS);

    expect(bench.doubts.at(-1)).toEqual({ type: "connection.dead", callsEnded: 2 });
    expect(bench.losses).toHaveLength(1);
    expect(bench.losses[0]).toMatchObject({ callsInFlight: 2 });
    expect(bench.losses[0]?.cause).toContain("no TCP connection within 10000 ms");
    expect(bench.network.dials[0]?.inFlight).toBe(0);
    expect(bench.dialErrors).toEqual([]);
    expect(bench.subchannel.aggregateState).toBe("TRANSIENT_FAILURE");
  });

  it("is dropped when a byte arrives before it fails", async () => {
    const bench = await suspected("hang");
    await bench.clock.advance(CHECK_TIMEOUT_MS);

    bench.network.dials[0]?.hear();
    await bench.clock.advance(CONNECT_TIMEOUT_MS);

    expect(bench.doubts.at(-1)).toEqual({ type: "connection.verified", by: "bytes" });
    expect(bench.subchannel.state).toBe("READY");
    expect(bench.openSockets).toBe(1);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("goes on as the endpoint's dial when the suspect is lost meanwhile", async () => {
    const bench = await suspected("hang");
    await bench.clock.advance(CHECK_TIMEOUT_MS);

    bench.network.dials[0]?.lose("read ECONNRESET");
    await settle();

    expect(bench.openDials).toBe(1);
    expect(bench.subchannel.state).toBe("CONNECTING");
    expect(bench.losses).toHaveLength(1);
  });

  it("is never a second one: verification goes on while new doubts come", async () => {
    const bench = await suspected("hang");
    await bench.clock.advance(CHECK_TIMEOUT_MS);

    bench.subchannel.suspect(bench.connection, "again");
    await bench.clock.advance(CHECK_TIMEOUT_MS);

    expect(bench.network.dials).toHaveLength(2);
  });
});

describe("silence during an attempt", () => {
  it("makes the connection suspect when no byte came since the attempt began", async () => {
    const bench = await new SubchannelBench().dialled();

    bench.connection.noteTimeout(bench.clock.now() - 500, bench.connection.bytesRead);
    await settle();

    expect(bench.doubts).toEqual([
      { type: "connection.suspect", cause: "an attempt timed out after 500 ms without a byte" },
    ]);
  });

  it("proves nothing when the peer sent anything meanwhile", async () => {
    const bench = await new SubchannelBench().dialled();
    const bytesAtStart = bench.connection.bytesRead;

    bench.dial.hear();
    bench.connection.noteTimeout(bench.clock.now(), bytesAtStart);
    await settle();

    expect(bench.doubts).toEqual([]);
  });

  it("proves nothing when an answer waits in the socket, because our own process was held up", async () => {
    const bench = await new SubchannelBench().dialled();

    bench.connection.noteTimeout(bench.clock.now(), bench.connection.bytesRead);
    bench.dial.hear();
    await settle();

    expect(bench.doubts).toEqual([]);
  });

  it("on a connection that drains puts nothing in doubt", async () => {
    const bench = await new SubchannelBench().dialled();
    const old = bench.connection;
    await bench.startCall();
    bench.dial.goaway();
    await settle();

    old.noteTimeout(bench.clock.now(), 0);
    await settle();

    expect(bench.doubts).toEqual([]);
  });
});

it("a suspicion ends with its endpoint and leaves no timer", async () => {
  const bench = await suspected("hang");

  bench.subchannel.shutdown("removed");
  await bench.clock.advance(CHECK_TIMEOUT_MS);

  expect(bench.network.dials).toHaveLength(1);
  expect(bench.clock.pendingTimers).toBe(0);
});
