import { credentials, connectivityState as State, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { unseenEndpoint } from "../../src/call/channel-stats.js";
import { type ChannelOptions, channelOptionsSchema, stubChannel } from "../../src/call/index.js";
import type { ChannelEvent, SocketAddress } from "../../src/core/index.js";
import { parseAddress } from "../../src/core/index.js";
import { ThrottleRegistry } from "../../src/retry/index.js";
import { A } from "../support/channel-bench.js";
import type { FakeCall } from "../support/fake-call.js";
import { FakeChannel } from "../support/fake-channel.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { unary } from "../support/test-call.js";

const IDEMPOTENT = { methods: { "test.Echo": { idempotent: true } } };

/** A stub's own channel, READY, and ours over it. */
async function overOwnChannel(options: Partial<ChannelOptions> = {}, env: Record<string, string> = {}) {
  const clock = new ManualClock();
  const calls: FakeCall[] = [];
  const owner = {
    onDial: (dialled: FakeChannel) => void dialled.accept(),
    onCall: (call: FakeCall) => void calls.push(call),
  };
  const address = parseAddress(A) as SocketAddress;
  const own = new FakeChannel({ address: A }, address, credentials.createInsecure(), clock, owner);
  own.getConnectivityState(true);
  const collaborators = { clock, random: fixedRandom(0.5), env, throttles: new ThrottleRegistry() };
  const channel = stubChannel(own, channelOptionsSchema.parse(options), collaborators);
  const events: ChannelEvent[] = [];
  channel.onEvent((event) => void events.push(event));
  await settle();
  return { clock, own, channel, calls, events };
}

describe("a stub hardened without credentials, over its own channel", () => {
  it("is retried, with backoff, on that channel", async () => {
    const { clock, channel, calls } = await overOwnChannel(IDEMPOTENT);
    const call = unary(channel);
    await settle();

    calls[0]?.fail(status.UNAVAILABLE);
    await clock.advance(100);
    calls[1]?.ok();
    await settle();

    expect(call.status.code).toBe(status.OK);
    expect(calls[1]?.previousAttempts).toBe("1");
  });

  it("says which mode it is in, and shows the channel as its one endpoint", async () => {
    const { own, channel } = await overOwnChannel();

    expect(channel.stats()).toMatchObject({ mode: "stub-channel", target: own.target, state: "READY" });
    expect(channel.endpoints()).toEqual([{ ...unseenEndpoint(own.target), state: "READY" }]);
  });

  it("has that channel's connectivity, and can be watched", async () => {
    const { own, channel } = await overOwnChannel();
    let woken = 0;
    channel.watchConnectivityState(State.READY, Number.POSITIVE_INFINITY, () => woken++);

    own.goaway();

    expect(woken).toBe(1);
    expect(channel.getConnectivityState(false)).toBe(State.IDLE);
  });

  it("has one breaker, which opens after failures in a row and fails calls at once", async () => {
    const { channel, calls } = await overOwnChannel({
      breaker: { consecutiveFailures: 2 },
      retry: { maxAttempts: 1 },
    });
    for (let failure = 0; failure < 2; failure++) {
      unary(channel);
      await settle();
      calls.at(-1)?.fail(status.UNAVAILABLE);
      await settle();
    }

    const call = unary(channel);
    await settle();

    expect(call.status).toMatchObject({ reason: "CIRCUIT_OPEN", processed: "no" });
    expect(call.status.details).toContain("next probe in 5000 ms");
    expect(calls).toHaveLength(2);
  });

  it("counts a failed dial against its breaker, because nobody else would notice", async () => {
    const { channel, calls } = await overOwnChannel({
      breaker: { consecutiveFailures: 1 },
      retry: { maxAttempts: 1 },
    });
    unary(channel);
    await settle();

    calls[0]?.endLocally(status.UNAVAILABLE, "No connection established. Last error: x");
    await settle();

    expect(channel.endpoints()[0]?.breaker).toBe("open");
  });

  it("is retried after a failed dial by policy, though not declared idempotent, since no server saw it", async () => {
    const { clock, channel, calls } = await overOwnChannel();
    unary(channel);
    await settle();

    calls[0]?.endLocally(status.UNAVAILABLE, "No connection established. Last error: x");
    await settle();
    expect(calls).toHaveLength(1);
    await clock.advance(100);

    expect(calls).toHaveLength(2);
  });

  it("cannot tell whether a lost call was sent, and so says maybe", async () => {
    const { channel, calls } = await overOwnChannel();
    const call = unary(channel);
    await settle();

    calls[0]?.endLocally(status.UNAVAILABLE, "Connection dropped");
    await settle();

    expect(call.status).toMatchObject({ reason: "CONNECTION_LOST", processed: "maybe" });
  });

  it("leaves the stub's channel alone when it is closed", async () => {
    const { own, channel } = await overOwnChannel();

    await channel.close();

    expect(own.isClosed).toBe(false);
    expect(channel.getConnectivityState(false)).toBe(State.SHUTDOWN);
  });

  it("has no endpoints to update, and says what it would need", async () => {
    const { channel } = await overOwnChannel();

    expect(() => channel.updateEndpoints([A])).toThrow("give tls, credentials, or insecure: true");
  });

  it("counts an attempt that timed out against its breaker", async () => {
    const options = { breaker: { consecutiveFailures: 1 }, attemptTimeoutMs: 300 };
    const { clock, channel } = await overOwnChannel(options);
    unary(channel);
    await settle();

    await clock.advance(300);

    expect(channel.endpoints()[0]?.breaker).toBe("open");
  });

  it("is only looked at by its numbers: they connect nothing", async () => {
    const { own, channel } = await overOwnChannel();
    own.goaway();

    channel.stats();
    channel.endpoints();

    expect(own.getConnectivityState(false)).toBe(State.IDLE);
  });

  it.each([
    ["enabled: false", { enabled: false }, {}],
    ["HOLDFAST_DISABLED=1", {}, { HOLDFAST_DISABLED: "1" }],
  ])("goes through untouched when switched off by %s", async (_how, off, env) => {
    const { channel, calls } = await overOwnChannel({ ...IDEMPOTENT, ...off }, env);
    const call = unary(channel);
    await settle();

    calls[0]?.fail(status.UNAVAILABLE);
    await settle();

    expect(call.isOver).toBe(true);
    expect(channel.stats().mode).toBe("disabled");
  });
});
