import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConnectivityWord } from "../../src/core/index.js";
import { settle } from "../support/manual-clock.js";
import { ADDRESS, DRAIN_MS, SubchannelBench } from "./subchannel-bench.js";

/** How long a socket may take to close by itself. */
const GRACEFUL_END_MS = 1_000;

describe("GOAWAY", () => {
  it("R72: takes no new calls there, lets running ones finish, and dials afresh", async () => {
    const bench = await new SubchannelBench().dialled();
    await bench.clock.advance(5_000);
    const old = bench.connection;
    await bench.startCall();

    bench.dial.goaway();
    bench.subchannel.connect();
    await settle();

    expect(bench.drains).toEqual(["GOAWAY"]);
    expect(old.state).toBe("draining");
    expect(bench.connection).not.toBe(old);
    expect(bench.losses).toEqual([]);
  });

  it("R73: with no calls running closes the socket and goes IDLE", async () => {
    const bench = await new SubchannelBench().dialled();
    await bench.clock.advance(5_000);

    bench.dial.goaway();
    await settle();

    expect(bench.subchannel.state).toBe("IDLE");
    expect(bench.openSockets).toBe(0);
    expect(bench.losses).toEqual([]);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("C10: is no failure: the breaker hears of no loss when the drained connection ends", async () => {
    const bench = await new SubchannelBench().dialled();
    const old = bench.connection;
    const call = await bench.startCall();
    bench.dial.goaway();
    await settle();

    call.end();
    await bench.clock.advance(GRACEFUL_END_MS);

    expect(old.state).toBe("closed");
    expect(bench.losses).toEqual([]);
    expect(bench.network.dials[0]?.socket.destroyed).toBe(true);
  });

  it("R74: bounds the drain, so that a hung stream does not keep the old connection for ever", async () => {
    const bench = await new SubchannelBench().dialled();
    await bench.startCall();
    bench.dial.goaway();
    await settle();
    const old = bench.network.dials[0];

    await bench.clock.advance(DRAIN_MS - 1);
    expect(old?.socket.destroyed).toBe(false);
    await bench.clock.advance(1);

    expect(old?.socket.destroyed).toBe(true);
  });

  it("is told as a loss when the socket breaks while calls drain", async () => {
    const bench = await new SubchannelBench().dialled();
    await bench.clock.advance(5_000);
    await bench.startCall();
    bench.dial.goaway();
    await settle();

    bench.network.dials[0]?.lose("read ECONNRESET");
    await settle();

    expect(bench.losses).toEqual([{ cause: "read ECONNRESET", callsInFlight: 1 }]);
  });
});

describe("removal", () => {
  it("B16: of an idle endpoint leaves nothing behind", async () => {
    const bench = await new SubchannelBench().dialled();

    bench.subchannel.shutdown("removed");
    await settle();

    expect(bench.subchannel.state).toBe("SHUTDOWN");
    expect(bench.openSockets).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("lets running calls finish and then closes the connection", async () => {
    const bench = await new SubchannelBench().dialled();
    const { connection } = bench;
    const call = await bench.startCall();

    bench.subchannel.shutdown("removed");
    await bench.clock.advance(DRAIN_MS - 1);
    expect(connection.state).toBe("draining");

    call.end();
    await settle();
    expect(bench.openSockets).toBe(0);
  });

  it("destroys a socket whose peer never says goodbye back", async () => {
    const bench = await new SubchannelBench().dialled();
    bench.dial.endsGracefully = false;

    bench.subchannel.shutdown("removed");
    await bench.clock.advance(GRACEFUL_END_MS - 1);
    expect(bench.openSockets).toBe(1);
    await bench.clock.advance(1);

    expect(bench.openSockets).toBe(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it.each(["hang", "silent", "refuse"] as const)(
    "C13: while the dial makes it %s leaks neither socket nor timer",
    async (plan) => {
      const bench = await new SubchannelBench().dialled(plan);

      bench.subchannel.shutdown("removed");
      await bench.clock.advance(120_000);

      expect(bench.subchannel.state).toBe("SHUTDOWN");
      expect(bench.openSockets).toBe(0);
      expect(bench.network.dials).toHaveLength(1);
      expect(bench.clock.pendingTimers).toBe(0);
    },
  );

  it("by destroy ends calls as lost, at once, and without a drain", async () => {
    const bench = await new SubchannelBench().dialled();
    await bench.startCall();

    bench.subchannel.destroy();

    expect(bench.openSockets).toBe(0);
    expect(bench.words.at(-1)).toBe("SHUTDOWN");
    expect(bench.drains).toEqual([]);
  });
});

const LEGAL: Readonly<Record<ConnectivityWord, readonly ConnectivityWord[]>> = {
  IDLE: ["CONNECTING", "SHUTDOWN"],
  CONNECTING: ["READY", "TRANSIENT_FAILURE", "IDLE", "SHUTDOWN"],
  READY: ["IDLE", "TRANSIENT_FAILURE", "SHUTDOWN"],
  TRANSIENT_FAILURE: ["CONNECTING", "IDLE", "SHUTDOWN"],
  SHUTDOWN: [],
};

const step = fc.constantFrom(
  "connect",
  "accept",
  "refuse",
  "lose",
  "goaway",
  "wait",
  "wait long",
  "idle",
  "reset",
  "suspect",
  "hear",
  "shutdown",
);

async function run(bench: SubchannelBench, steps: readonly string[]): Promise<void> {
  const { subchannel, network, clock } = bench;
  network.plan(ADDRESS, "hang");
  for (const name of steps) {
    const dial = network.dials.at(-1);
    if (name === "connect") subchannel.connect();
    else if (name === "idle" && subchannel.state !== "SHUTDOWN") subchannel.drain("idle");
    else if (name === "reset") subchannel.resetBackoff();
    else if (name === "shutdown") subchannel.shutdown("removed");
    else if (name === "wait") await clock.advance(400);
    else if (name === "wait long") await clock.advance(7_000);
    else if (name === "accept" && dial?.isReady === false && !dial.isClosed) await dial.accept();
    else if (name === "refuse" && dial?.isReady === false && !dial.isClosed) dial.refuse();
    else if (name === "lose") dial?.lose();
    else if (name === "goaway" && dial?.isReady === true) dial.goaway();
    else if (name === "hear") dial?.hear();
    else if (name === "suspect" && subchannel.connections[0] !== undefined)
      subchannel.suspect(subchannel.connections[0], "test");
    await settle();
    // A suspect connection may have one fresh dial beside it, never two.
    expect(bench.openDials).toBeLessThanOrEqual(1);
  }
}

it("C10, R61, R62: takes only legal steps and makes one dial at a time, whatever happens in whatever order", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 14 }), async (steps) => {
      const bench = new SubchannelBench();

      await run(bench, steps);
      bench.subchannel.shutdown("end");
      await bench.clock.advance(60_000);

      for (let index = 1; index < bench.words.length; index++) {
        const from = bench.words[index - 1] as ConnectivityWord;
        expect(LEGAL[from]).toContain(bench.words[index]);
      }
      expect(bench.openSockets).toBe(0);
      expect(bench.clock.pendingTimers).toBe(0);
    }),
    { numRuns: 300, seed: 20_231_114 },
  );
}, 60_000);
