import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { type CallSettings, type ChannelOptions, callOptions } from "../../src/call/index.js";
import { type ChannelBench, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { bidi, clientStream, serverStream, type TestCall, unary } from "../support/test-call.js";

const TWELVE = "x".repeat(12);
const THIRTEEN = "x".repeat(13);

/** The same limit, set in three places. */
const PLACES: [string, Partial<ChannelOptions>, CallSettings][] = [
  ["of the channel", { maxSendMessageBytes: 12, maxReceiveMessageBytes: 12 }, {}],
  [
    "of the method, below the channel's",
    { methods: { "test.Echo/Say": { maxSendMessageBytes: 12, maxReceiveMessageBytes: 12 } } },
    {},
  ],
  [
    "of the service, below the channel's",
    { methods: { "test.Echo": { maxSendMessageBytes: 12, maxReceiveMessageBytes: 12 } } },
    {},
  ],
  ["of the call, below the method's", {}, { maxSendMessageBytes: 12, maxReceiveMessageBytes: 12 }],
  [
    "of the channel, which no call can raise",
    { maxSendMessageBytes: 12, maxReceiveMessageBytes: 12 },
    { maxSendMessageBytes: 1_000, maxReceiveMessageBytes: 1_000 },
  ],
  [
    "of the method, which no call can raise",
    { methods: { "test.Echo/Say": { maxSendMessageBytes: 12, maxReceiveMessageBytes: 12 } } },
    { maxSendMessageBytes: 1_000, maxReceiveMessageBytes: 1_000 },
  ],
];

const deadlineOf = (settings: CallSettings) => callOptions(settings).deadline as Date;

async function sendOne(options: Partial<ChannelOptions>, settings: CallSettings, request: string) {
  const bench = await readyBench(options);
  const call = unary(bench.channel, { deadline: deadlineOf(settings), request });
  await bench.settle();
  return { bench, call };
}

function expectTooLarge(bench: ChannelBench, call: TestCall, processed: "no" | "maybe" | "yes"): void {
  expect(call.statuses).toHaveLength(1);
  expect(call.status).toMatchObject({
    code: status.RESOURCE_EXHAUSTED,
    reason: "MESSAGE_TOO_LARGE",
    origin: "local",
    processed,
  });
  expect(bench.leftovers).toEqual(NOTHING_LEFT);
}

describe.each(PLACES)("the limit %s", (_place, options, settings) => {
  it("lets a request of 12 bytes pass (D21, B09)", async () => {
    const { bench, call } = await sendOne(options, settings, TWELVE);

    bench.network.current.ok("y");
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
  });

  it("refuses a request of 13 bytes before anything is sent (D21, B09)", async () => {
    const { bench, call } = await sendOne(options, settings, THIRTEEN);

    expectTooLarge(bench, call, "no");
    expect(call.status.details).toContain("has 13 bytes; maxSendMessageBytes allows 12");
    expect(bench.network.calls).toHaveLength(0);
    expect(call.flushed).toEqual([THIRTEEN]);
  });

  it("lets an answer of 12 bytes pass (B09)", async () => {
    const { bench, call } = await sendOne(options, settings, "x");

    bench.network.current.ok(TWELVE);
    await bench.settle();

    expect(call.messages).toEqual([TWELVE]);
    expect(call.status.code).toBe(status.OK);
  });

  it("ends a call whose answer has 13 bytes, which the server has run, and hands none of it on (B09)", async () => {
    const { bench, call } = await sendOne(options, settings, "x");

    bench.network.current.ok(THIRTEEN);
    await bench.settle();

    expectTooLarge(bench, call, "yes");
    expect(call.status.details).toContain("has 13 bytes; maxReceiveMessageBytes allows 12");
    expect(call.messages).toEqual([]);
  });
});

describe("a message over the limit", () => {
  it("is not tried again: it would be too large again (R162)", async () => {
    const methods = { "test.Echo": { idempotent: true, maxReceiveMessageBytes: 3 } };
    const retry = { retryableCodes: ["RESOURCE_EXHAUSTED" as const] };
    const bench = await readyBench({ methods, retry });
    const call = await bench.unary();

    bench.network.current.ok("large");
    await bench.advance(10_000);

    expectTooLarge(bench, call, "yes");
    expect(bench.network.calls).toHaveLength(1);
  });

  it("says nothing against its endpoint", async () => {
    const breaker = { consecutiveFailures: 1 };
    const bench = await readyBench({ maxReceiveMessageBytes: 3, breaker });
    await bench.unary();

    bench.network.current.ok("large");
    await bench.settle();

    expect(bench.channel.endpoints()[0]?.breaker).toBe("closed");
  });

  it.each([
    ["a stream of requests", clientStream],
    ["a bidirectional stream", bidi],
  ])("later in %s ends the stream, and the server hears of it", async (_kind, start) => {
    const bench = await readyBench({ maxSendMessageBytes: 12 });
    const call = start(bench.channel).write(TWELVE);
    await bench.settle();

    call.write(THIRTEEN);
    await bench.settle();

    expectTooLarge(bench, call, "maybe");
    expect(bench.network.current.sentTexts).toEqual([TWELVE]);
    expect(bench.network.current.cancelledWith).not.toBeNull();
  });

  it.each([
    ["a stream of answers", serverStream],
    ["a bidirectional stream", bidi],
  ])("later in %s comes after those before it", async (_kind, start) => {
    const bench = await readyBench({ maxReceiveMessageBytes: 12 });
    const call = start(bench.channel).flow();
    await bench.settle();

    bench.network.current.message(TWELVE);
    bench.network.current.message(THIRTEEN);
    bench.network.current.okTrailers();
    await bench.settle();

    expect(call.messages).toEqual([TWELVE]);
    expectTooLarge(bench, call, "yes");
  });

  it("may be written again and again after the end without harm", async () => {
    const bench = await readyBench({ maxSendMessageBytes: 12 });
    const call = clientStream(bench.channel);
    await bench.settle();

    for (let n = 0; n < 5; n++) call.write(THIRTEEN);
    call.write("x").end();
    await bench.settle();

    expectTooLarge(bench, call, "maybe");
    expect(call.flushed).toHaveLength(6);
  });

  it("may be an empty one where the limit is 0", async () => {
    const { bench, call } = await sendOne({}, { maxSendMessageBytes: 0, maxReceiveMessageBytes: 0 }, "");

    bench.network.current.ok("");
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
  });
});

describe("the metadata of a call", () => {
  const sized = (bytes: number): Metadata => {
    const metadata = new Metadata();
    metadata.set("k", "v".repeat(bytes - 1));
    return metadata;
  };

  async function sendWith(metadata: Metadata, options: Partial<ChannelOptions> = {}) {
    const bench = await readyBench(options);
    const call = await bench.unary({ metadata });
    return { bench, call };
  }

  it("may have as many bytes as maxMetadataBytes, names included (D20)", async () => {
    const { bench } = await sendWith(sized(100), { maxMetadataBytes: 100 });

    expect(bench.network.calls).toHaveLength(1);
  });

  it("over maxMetadataBytes is refused with both numbers, unsent, once (D20)", async () => {
    const options = { maxMetadataBytes: 100, methods: { "test.Echo": { idempotent: true } } };
    const { bench, call } = await sendWith(sized(101), options);
    await bench.advance(10_000);

    expect(call.status).toMatchObject({
      code: status.INTERNAL,
      reason: "METADATA_INVALID",
      origin: "local",
      processed: "no",
    });
    expect(call.status.details).toContain("has 101 bytes; maxMetadataBytes allows 100");
    expect(bench.network.calls).toHaveLength(0);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("has 8 KiB by default, what servers take by default (D20)", async () => {
    expect((await sendWith(sized(8_192))).bench.network.calls).toHaveLength(1);
    expect((await sendWith(sized(8_193))).bench.network.calls).toHaveLength(0);
  });

  it.each([
    "grpc-timeout",
    "grpc-encoding",
    "grpc-accept-encoding",
    "grpc-status",
    "grpc-message",
    "grpc-message-type",
  ])("may not have %s, which gRPC sets itself (E18)", async (key) => {
    const metadata = new Metadata();
    metadata.set(key, "1");

    const { bench, call } = await sendWith(metadata);

    expect(call.status).toMatchObject({ code: status.INTERNAL, reason: "METADATA_INVALID", processed: "no" });
    expect(call.status.details).toContain(key);
    expect(bench.network.calls).toHaveLength(0);
  });

  it("may have keys that only look like reserved ones", async () => {
    const metadata = new Metadata();
    for (const key of ["grpcx-timeout", "x-grpc-status", "grpc-trace-bin"]) {
      metadata.set(key, key.endsWith("-bin") ? Buffer.from("b") : "1");
    }

    expect((await sendWith(metadata)).bench.network.calls).toHaveLength(1);
  });
});
