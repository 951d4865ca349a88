import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import {
  A,
  B,
  C,
  type ChannelBench,
  IDEMPOTENT,
  NOTHING_LEFT,
  readyBench,
} from "../support/channel-bench.js";
import type { TestCall } from "../support/test-call.js";

const LEAST_REQUEST = { loadBalancing: "least_request" } as const;

/** Attempts in flight by address, those of endpoints that have left not among them. */
function inFlight(bench: ChannelBench): Record<string, number> {
  return Object.fromEntries(
    bench.channel.endpoints().map(({ address, callsInFlight }) => [address, callsInFlight]),
  );
}

async function refuseTwice(bench: ChannelBench): Promise<void> {
  bench.network.current.refuse();
  await bench.advance(1_000);
  bench.network.call(1).refuse();
}

const ENDS: [string, (bench: ChannelBench, call: TestCall) => unknown][] = [
  ["is answered", ({ network }) => network.current.ok()],
  ["fails", ({ network }) => network.current.fail(status.NOT_FOUND, "no such key")],
  ["is cancelled", (_, call) => call.cancel()],
  ["runs out of time", (bench) => bench.advance(60_000)],
  ["is refused, and again as it is repeated at no cost", refuseTwice],
  ["loses its connection", ({ network }) => network.last(network.current.peer).lose("read ECONNRESET")],
];

describe("calls in flight, as least_request counts them", () => {
  it.each(ENDS)(
    "are one more from the pick on, and as many as before when a call %s (R126)",
    async (_, end) => {
      const bench = await readyBench({ ...LEAST_REQUEST, retry: false });
      const call = await bench.unary();
      const during = inFlight(bench);

      await end(bench, call);
      await bench.settle();

      expect(during).toEqual({ [A]: 1 });
      expect(call.isOver).toBe(true);
      expect(inFlight(bench)).toEqual({ [A]: 0 });
      expect(bench.leftovers).toEqual(NOTHING_LEFT);
    },
  );

  it("count each attempt of a hedged call, and the cancelled losers no longer (R126)", async () => {
    const hedging = { maxAttempts: 3, delayMs: 10 };
    const bench = await readyBench({ ...LEAST_REQUEST, ...IDEMPOTENT, hedging }, { addresses: [A, B, C] });
    const call = await bench.unary();
    await bench.advance(20);
    const during = inFlight(bench);

    bench.network.call(1).ok();
    await bench.settle();

    expect(during).toEqual({ [A]: 1, [B]: 1, [C]: 1 });
    expect(call.status.code).toBe(status.OK);
    expect(inFlight(bench)).toEqual({ [A]: 0, [B]: 0, [C]: 0 });
  });

  it("outlast an update, so that an endpoint that stays is known to be busy (R126)", async () => {
    const bench = await readyBench(LEAST_REQUEST);
    for (let count = 0; count < 3; count++) await bench.unary();

    bench.channel.updateEndpoints([C, A, B]);
    await bench.settle();
    const after = inFlight(bench);
    for (const call of [...bench.network.calls]) call.ok();
    await bench.settle();

    expect(after).toEqual({ [C]: 0, [A]: 3, [B]: 0 });
    expect(inFlight(bench)).toEqual({ [C]: 0, [A]: 0, [B]: 0 });
  });
});
