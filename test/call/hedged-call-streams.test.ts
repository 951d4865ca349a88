import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, B, NOTHING_LEFT } from "../support/channel-bench.js";
import { bidi, clientStream, serverStream } from "../support/test-call.js";
import { answer, failAttempt, hedgedBench } from "./hedges.js";

const sent = (bench: Awaited<ReturnType<typeof hedgedBench>>) =>
  bench.network.calls.map(({ sentTexts }) => sentTexts);

describe("a hedged stream of requests", () => {
  it("is replayed to every new attempt, and what follows goes to all that are live (R38, R43)", async () => {
    const bench = await hedgedBench();
    const call = clientStream(bench.channel);
    call.write("a").write("b");
    await bench.settle();
    await bench.advance(50);
    expect(sent(bench)).toEqual([
      ["a", "b"],
      ["a", "b"],
    ]);

    call.write("c").end();
    await bench.settle();
    await bench.advance(50);

    expect(sent(bench)).toEqual([
      ["a", "b", "c"],
      ["a", "b", "c"],
      ["a", "b", "c"],
    ]);
    expect(bench.network.calls.map(({ isHalfClosed }) => isHalfClosed)).toEqual([true, true, true]);
    await answer(bench, 2);
    expect(call.messages).toEqual(["answer 2"]);
    expect(call.flushed).toEqual(["a", "b", "c"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("keeps order and flags in the replay (R44)", async () => {
    const bench = await hedgedBench();
    const call = bidi(bench.channel);
    call.write("plain").write("uncompressed", 2);
    await bench.settle();

    await bench.advance(50);

    expect(bench.network.call(1).flags).toEqual([undefined, 2]);
    call.cancel();
  });

  it("goes on to the winner alone, which frees what was kept for others (R18, R35)", async () => {
    const bench = await hedgedBench();
    const call = bidi(bench.channel).flow();
    call.write("a");
    await bench.settle();
    await bench.advance(50);
    expect(bench.channel.stats().retryBufferBytes).toBe(1);

    bench.network.call(0).headers();
    expect(bench.channel.stats().retryBufferBytes).toBe(0);
    call.write("b").end();
    bench.network.call(0).ok("first");
    await bench.settle();

    expect(sent(bench)).toEqual([["a", "b"], ["a"]]);
    expect(call.messages).toEqual(["first"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("loses nothing to a loser whose write is told of in the turn of the answer (R17, R38)", async () => {
    const bench = await hedgedBench();
    bench.network.holdsWrites = true;
    for (const dial of bench.network.dials) dial.holdsWrites = true;
    const call = bidi(bench.channel).flow();
    for (const text of ["a", "b", "c"]) call.write(text);
    await bench.settle();
    await bench.advance(50);
    // The first attempt is ahead of the second, which answers.
    for (let n = 0; n < 2; n++) {
      bench.network.call(0).flush();
      await bench.settle();
    }
    expect(sent(bench)).toEqual([["a", "b", "c"], ["a"]]);

    bench.network.call(0).flush();
    bench.network.call(1).headers();
    call.write("d").end();
    for (let n = 0; n < 4; n++) {
      bench.network.call(1).flush();
      await bench.settle();
    }

    expect(bench.network.call(1).sentTexts).toEqual(["a", "b", "c", "d"]);
    expect(bench.network.call(1).isHalfClosed).toBe(true);
    await answer(bench, 1);
    expect(call.flushed).toEqual(["a", "b", "c", "d"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is read by a new attempt only where the application reads already (R44)", async () => {
    const bench = await hedgedBench();
    const call = serverStream(bench.channel);
    await bench.settle();
    await bench.advance(50);
    expect(bench.network.calls.map(({ readsAsked }) => readsAsked)).toEqual([0, 0]);

    call.read();
    await bench.advance(50);

    expect(bench.network.calls.map(({ readsAsked }) => readsAsked)).toEqual([1, 1, 1]);
    call.cancel();
  });

  it("gives every message of the winner's answer to a reader, to the end (R35, R43)", async () => {
    const bench = await hedgedBench();
    const call = serverStream(bench.channel).flow();
    await bench.settle();
    await bench.advance(50);

    for (const text of ["1", "2", "3"]) bench.network.call(1).message(text);
    bench.network.call(1).okTrailers();
    await bench.settle();

    expect(call.messages).toEqual(["1", "2", "3"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe("a hedged request that no longer fits into the retry buffer", () => {
  const SMALL = { retry: { perCallBufferBytes: 3 } };

  it("goes on alone on the attempt that got furthest, and the others are cancelled (R17)", async () => {
    const bench = await hedgedBench(SMALL);
    const call = clientStream(bench.channel);
    bench.network.holdsWrites = false;
    call.write("a").write("b");
    await bench.settle();
    // From now on nothing leaves the second attempt's connection.
    for (const dial of bench.network.dials) dial.holdsWrites = true;
    await bench.advance(50);
    expect(sent(bench)).toEqual([["a", "b"], ["a"]]);

    call.write("too much").end();
    await bench.settle();

    expect(bench.network.calls.map(({ cancelledWith }) => cancelledWith?.code)).toEqual([
      undefined,
      status.CANCELLED,
    ]);
    expect(bench.channel.stats().retryBufferBytes).toBe(0);
    await bench.advance(1_000);
    expect(sent(bench)).toEqual([["a", "b", "too much"], ["a"]]);
    await answer(bench, 0);
    expect(call.messages).toEqual(["answer 0"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("from its first message on is sent once and never hedged (R15, R19)", async () => {
    const bench = await hedgedBench(SMALL);
    const call = await bench.unary({ request: "too much" });

    await bench.advance(1_000);
    expect(sent(bench)).toEqual([["too much"]]);
    await failAttempt(bench, 0);

    expect(call.status.explanation).toContain("no longer in the retry buffer");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("while it waits between attempts is sent on the next one, which is the last (R16, R17)", async () => {
    const bench = await hedgedBench(SMALL);
    const call = clientStream(bench.channel);
    call.write("a");
    await bench.settle();
    await failAttempt(bench, 0, { "grpc-retry-pushback-ms": "100" });

    call.write("too much").end();
    await bench.advance(1_000);

    expect(sent(bench)).toEqual([["a"], ["a", "too much"]]);
    await answer(bench, 1);
    expect(call.messages).toEqual(["answer 1"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("as two attempts are due is sent on one of them, not in pieces on both (R16, R17)", async () => {
    const bench = await hedgedBench({ ...SMALL, hedging: { maxAttempts: 5, delayMs: 50 } });
    const call = clientStream(bench.channel);
    call.write("a");
    await bench.settle();
    await bench.advance(50);
    bench.network.call(0).fail(status.UNAVAILABLE);
    bench.network.call(1).fail(status.UNAVAILABLE);
    await bench.settle();

    call.write("too much").end();
    await bench.advance(1_000);

    expect(sent(bench)).toEqual([["a"], ["a"], ["a", "too much"]]);
    await answer(bench, 2);
    expect(call.messages).toEqual(["answer 2"]);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("because the channel's buffer is full is sent once, and the others are hedged again later (R19)", async () => {
    const bench = await hedgedBench({ retry: { perChannelBufferBytes: 5 } }, { addresses: [A, B] });
    await bench.unary({ request: "12345" });
    await bench.unary({ request: "6" });
    await bench.advance(1_000);
    expect(bench.network.calls.filter(({ sentTexts }) => sentTexts[0] === "6")).toHaveLength(1);

    for (const inner of [...bench.network.calls]) inner.ok();
    await bench.settle();
    await bench.unary({ request: "7" });
    await bench.advance(50);

    expect(bench.network.calls.filter(({ sentTexts }) => sentTexts[0] === "7")).toHaveLength(2);
  });
});
