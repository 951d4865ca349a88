import { describe, expect, it } from "vitest";
import { settle } from "../support/manual-clock.js";
import { ADDRESS, CONNECT_TIMEOUT_MS, SubchannelBench } from "./subchannel-bench.js";

describe("dialling", () => {
  it("does no I/O before it is asked to connect", async () => {
    const bench = new SubchannelBench();

    await bench.clock.advance(60_000);

    expect(bench.network.dials).toHaveLength(0);
    expect(bench.subchannel.state).toBe("IDLE");
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("is READY when the peer's SETTINGS arrived, not when TCP stood (R60)", async () => {
    const bench = await new SubchannelBench().dialled("silent");
    expect(bench.subchannel.state).toBe("CONNECTING");

    bench.dial.settings();

    expect(bench.subchannel.state).toBe("READY");
  });

  it("leaves no timer behind once it is READY, and keeps nobody's process alive", async () => {
    const bench = await new SubchannelBench().dialled();

    expect(bench.words).toEqual(["IDLE", "CONNECTING", "READY"]);
    expect(bench.clock.pendingTimers).toBe(0);
    expect(bench.dial.socket.isRef).toBe(false);
  });

  it("R61: makes one dial however often it is asked", async () => {
    const bench = await new SubchannelBench().dialled("hang");

    bench.subchannel.connect();
    bench.subchannel.connect();

    expect(bench.network.dials).toHaveLength(1);
  });

  it("tells the breaker of every fresh connection", async () => {
    const bench = await new SubchannelBench().dialled();

    expect(bench.gate.reconnections).toBe(1);
  });

  it.each([
    ["hang", "no TCP connection within 10000 ms"],
    ["silent", "TCP connected, but no SETTINGS arrived within 10000 ms"],
  ] as const)(
    "C13: gives up at its deadline on a peer that makes it %s, and says how far it came (R59)",
    async (plan, error) => {
      const bench = await new SubchannelBench().dialled(plan);
      await bench.clock.advance(CONNECT_TIMEOUT_MS - 1);
      expect(bench.subchannel.state).toBe("CONNECTING");

      await bench.clock.advance(1);

      expect(bench.dialErrors).toEqual([error]);
      expect(bench.network.dials[0]?.socket.destroyed).toBe(true);
      expect(bench.network.dials[0]?.isClosed).toBe(true);
    },
  );

  it("says what the socket said when the dial is refused", async () => {
    const bench = await new SubchannelBench().dialled("refuse");

    expect(bench.words).toEqual(["IDLE", "CONNECTING", "TRANSIENT_FAILURE"]);
    expect(bench.dialErrors).toEqual([`connect ECONNREFUSED ${ADDRESS}`]);
    expect(bench.subchannel.lastError).toEqual({
      text: `connect ECONNREFUSED ${ADDRESS}`,
      at: bench.clock.epoch(),
    });
  });

  it("fails at once when the peer hangs up before SETTINGS", async () => {
    const bench = await new SubchannelBench().dialled("silent");

    bench.dial.lose();
    await settle();

    expect(bench.dialErrors).toEqual([
      expect.stringMatching(
        /^the plaintext connection closed before SETTINGS arrived: the server may want TLS/,
      ),
    ]);
    expect(bench.subchannel.state).toBe("TRANSIENT_FAILURE");
  });
});

describe("backoff between dials", () => {
  it("R57, R58: runs from the start of the dial and grows with each failure", async () => {
    const bench = await new SubchannelBench().dialled("refuse");
    expect(bench.subchannel.retryInMs).toBe(1_000);

    await bench.clock.advance(999);
    expect(bench.network.dials).toHaveLength(1);
    await bench.clock.advance(1);
    expect(bench.network.dials).toHaveLength(2);
    expect(bench.subchannel.retryInMs).toBe(1_600);
  });

  it("R58: is over when a slow dial fails, so the next one starts at once", async () => {
    const bench = await new SubchannelBench().dialled("hang");

    await bench.clock.advance(CONNECT_TIMEOUT_MS);

    expect(bench.network.dials).toHaveLength(2);
  });

  it("R60: starts anew once a connection was READY", async () => {
    const bench = await new SubchannelBench().dialled("refuse", "refuse", "ready", "refuse");
    await bench.clock.advance(60_000);
    expect(bench.subchannel.state).toBe("READY");

    bench.dial.lose();
    await settle();
    bench.subchannel.connect();
    await settle();

    expect(bench.subchannel.state).toBe("TRANSIENT_FAILURE");
    expect(bench.subchannel.retryInMs).toBe(1_000);
  });

  it("C11: resetBackoff dials at once, and starts the series anew", async () => {
    const bench = await new SubchannelBench().dialled("refuse");
    await bench.clock.advance(20_000);
    const dials = bench.network.dials.length;

    bench.subchannel.resetBackoff();
    await settle();

    expect(bench.network.dials).toHaveLength(dials + 1);
    expect(bench.subchannel.retryInMs).toBe(1_000);
    expect(bench.clock.pendingTimers).toBe(1);
  });

  it("resetBackoff leaves a connection and an idle endpoint alone", async () => {
    const idle = new SubchannelBench();
    const ready = await new SubchannelBench().dialled();

    idle.subchannel.resetBackoff();
    ready.subchannel.resetBackoff();

    expect(idle.network.dials).toHaveLength(0);
    expect(ready.network.dials).toHaveLength(1);
  });
});

describe("a lost connection", () => {
  it("that has lived goes IDLE with its cause, ready to be dialled at once (R62)", async () => {
    const bench = await new SubchannelBench().dialled();
    await bench.clock.advance(5_000);

    bench.dial.lose("read ECONNRESET");
    await settle();

    expect(bench.words.slice(2)).toEqual(["READY", "IDLE"]);
    expect(bench.causes.at(-1)).toBe("read ECONNRESET");
    expect(bench.losses).toEqual([{ cause: "read ECONNRESET", callsInFlight: 0 }]);
    expect(bench.subchannel.lastError).toEqual({ text: "read ECONNRESET", at: bench.clock.epoch() });
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("is counted once, with the calls that were on it", async () => {
    const bench = await new SubchannelBench().dialled();
    for (let call = 0; call < 3; call++) await bench.startCall();

    bench.dial.lose();
    await settle();

    expect(bench.losses).toEqual([{ cause: "the connection was closed", callsInFlight: 3 }]);
  });

  it("that lived for moments waits out the first backoff, so a peer that hangs up is not dialled in a loop", async () => {
    const bench = await new SubchannelBench().dialled();
    await bench.clock.advance(200);

    bench.dial.lose();
    await settle();

    expect(bench.subchannel.state).toBe("TRANSIENT_FAILURE");
    expect(bench.subchannel.retryInMs).toBe(800);
    expect(bench.subchannel.aggregateState).toBe("CONNECTING");
    await bench.clock.advance(800);
    expect(bench.words.slice(-2)).toEqual(["CONNECTING", "READY"]);
  });

  it("R107: an endpoint that failed counts as failed until it is READY again", async () => {
    const bench = await new SubchannelBench().dialled("refuse", "hang");
    expect(bench.subchannel.aggregateState).toBe("TRANSIENT_FAILURE");

    await bench.clock.advance(1_000);
    expect(bench.subchannel.state).toBe("CONNECTING");
    expect(bench.subchannel.aggregateState).toBe("TRANSIENT_FAILURE");

    await bench.dial.accept();
    await settle();
    expect(bench.subchannel.aggregateState).toBe("READY");
  });
});
