import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { type CallSettings, callOptions } from "../../src/call/index.js";
import { A, B, NOTHING_LEFT } from "../support/channel-bench.js";
import { unary } from "../support/test-call.js";
import { failAttempt, hedgedBench } from "./hedges.js";

const with_ = (settings: CallSettings) => ({ deadline: callOptions(settings).deadline as Date });

/** How many attempts a call makes that nobody answers. */
async function attemptsOf(options: object, settings: CallSettings = {}): Promise<number> {
  const bench = await hedgedBench(options, { addresses: [A, B] });
  const call = unary(bench.channel, with_(settings));
  await bench.advance(1_000);
  call.cancel();
  await bench.settle();
  expect(bench.leftovers).toEqual(NOTHING_LEFT);
  return bench.network.calls.length;
}

const NOT_DECLARED = { methods: {} };

describe("a call is hedged", () => {
  it.each<[string, object, CallSettings, number]>([
    ["where its method is declared idempotent", {}, {}, 3],
    ["where the call itself says that it is idempotent", NOT_DECLARED, { idempotent: true }, 3],
    [
      "with options of its own, where the channel has none",
      { hedging: false },
      { hedging: { maxAttempts: 2, delayMs: 10 } },
      2,
    ],
    ["with options of its own instead of its method's", {}, { hedging: { maxAttempts: 2, delayMs: 10 } }, 2],
    ["up to the channel's maxAttemptsLimit", {}, { hedging: { maxAttempts: 20, delayMs: 0 } }, 5],
  ])("%s (R40)", async (_when, options, settings, attempts) => {
    expect(await attemptsOf(options, settings)).toBe(attempts);
  });
});

describe("a call is never hedged", () => {
  it.each<[string, object, CallSettings]>([
    ["whose method is not declared idempotent", NOT_DECLARED, {}],
    [
      "that asks for it, while nobody says that it is idempotent",
      NOT_DECLARED,
      { hedging: { maxAttempts: 2, delayMs: 0 } },
    ],
    ["that says itself that it is not idempotent", {}, { idempotent: false }],
    ["that turns hedging off", {}, { hedging: false }],
    ["that says how it is to be retried", {}, { retry: { maxAttempts: 2 } }],
    ["that is to make one attempt", {}, { retry: false }],
    ["whose channel has hedging off, as is the default", { hedging: false }, {}],
    ["whose method has hedging off", { methods: { "test.Echo": { idempotent: true, hedging: false } } }, {}],
    ["while the channel is disabled", { enabled: false }, {}],
    [
      "whose method is to make one attempt, where only the channel hedges",
      { methods: { "test.Echo": { idempotent: true, retry: false } } },
      {},
    ],
  ])("%s (R40)", async (_when, options, settings) => {
    expect(await attemptsOf(options, settings)).toBe(1);
  });

  it("for a mark in its metadata that comes after it was made (R40)", async () => {
    const bench = await hedgedBench(NOT_DECLARED);
    unary(bench.channel, { metadata: new Metadata({ idempotentRequest: true }) });

    await bench.advance(1_000);

    expect(bench.network.calls).toHaveLength(1);
  });

  it("and is retried instead, where that is safe (R1)", async () => {
    const bench = await hedgedBench();
    unary(bench.channel, with_({ retry: { maxAttempts: 2 } }));
    await bench.advance(0);

    await failAttempt(bench, 0);
    await bench.advance(5_000);

    expect(bench.network.calls).toHaveLength(2);
    expect(bench.channel.stats().calls).toMatchObject({ retries: 1, hedges: 0 });
  });

  it("again once its failure was returned: hedging is not followed by a retry (R36)", async () => {
    const bench = await hedgedBench({ hedging: { maxAttempts: 2, delayMs: 0 }, retry: { maxAttempts: 5 } });
    const call = await bench.unary();
    for (const index of [0, 1]) await failAttempt(bench, index);

    await bench.advance(60_000);

    expect(call.status.code).toBe(status.UNAVAILABLE);
    expect(bench.network.calls).toHaveLength(2);
  });
});
