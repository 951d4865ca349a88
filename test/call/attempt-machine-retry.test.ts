import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { callOptions } from "../../src/call/index.js";
import { A, B, C, IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { fixedRandom } from "../support/seeded-random.js";
import { FIVE_ATTEMPTS, failCurrent, msToNextAttempt } from "./attempts.js";

const ALMOST_ONE = 1 - 2 ** -53;

describe("a retry by policy", () => {
  it.each([
    [0, [80, 160, 320, 640]],
    [0.5, [100, 200, 400, 800]],
    [ALMOST_ONE, [120, 240, 480, 960]],
  ])("R11: waits its backoff on the clock, not a millisecond less (roll %d)", async (roll, waits) => {
    const bench = await readyBench(FIVE_ATTEMPTS, { random: fixedRandom(roll) });
    await bench.unary();

    for (const wait of waits) {
      await failCurrent(bench);
      expect(await msToNextAttempt(bench)).toBe(wait);
    }
  });

  it("R13, C27: picks anew, and avoids the endpoints that the call has failed on", async () => {
    const bench = await readyBench(FIVE_ATTEMPTS, { addresses: [A, B, C] });
    await bench.unary();

    for (let attempt = 0; attempt < 2; attempt++) {
      await failCurrent(bench);
      await msToNextAttempt(bench);
    }

    expect(new Set(bench.network.route)).toEqual(new Set([A, B, C]));
  });

  it("C27: avoids the endpoint it failed on, though it would be that one's turn again", async () => {
    const bench = await readyBench(FIVE_ATTEMPTS, { addresses: [A, B] });
    await bench.unary();
    const [failed] = bench.network.route;
    await failCurrent(bench);
    await bench.unary({ request: "another call takes the other endpoint's turn" });

    await msToNextAttempt(bench);

    expect(bench.network.route).toHaveLength(3);
    expect(bench.network.route[2]).not.toBe(failed);
  });

  it("makes maxAttempts attempts, the first included, and then delivers the server's own answer (R2)", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = await bench.unary();

    for (let attempt = 0; attempt < 3; attempt++) {
      await failCurrent(bench);
      await bench.advance(1_000);
    }

    expect(bench.network.calls).toHaveLength(3);
    expect(call.status).toMatchObject({ code: status.UNAVAILABLE, details: "scripted", reason: "REMOTE" });
    expect(call.status.explanation).toContain("3 of 3 attempts used");
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("G24: repeats nothing that may have run, unless the method is declared idempotent", async () => {
    const bench = await readyBench();
    const call = await bench.unary();

    await failCurrent(bench);

    expect(bench.network.calls).toHaveLength(1);
    expect(call.status).toMatchObject({ processed: "maybe", reason: "REMOTE" });
    expect(call.status.explanation).toContain("not declared idempotent");
  });

  it.each([
    ["callOptions", { deadline: callOptions({ idempotent: true }).deadline as Date }],
    ["grpc-js's metadata option", { metadata: new Metadata({ idempotentRequest: true }) }],
  ])("repeats a call that its caller declared idempotent by %s", async (_how, options) => {
    const bench = await readyBench();
    await bench.unary(options);

    await failCurrent(bench);

    expect(await msToNextAttempt(bench)).toBe(100);
  });

  it.each([status.INVALID_ARGUMENT, status.NOT_FOUND, status.INTERNAL, status.DEADLINE_EXCEEDED])(
    "G03: is not made for code %d",
    async (code) => {
      const bench = await readyBench(IDEMPOTENT);
      const call = await bench.unary();

      bench.network.current.fail(code, "no");
      await bench.settle();

      expect(call.status).toMatchObject({ code, details: "no" });
      expect(bench.network.calls).toHaveLength(1);
    },
  );

  it("follows what the call itself says about retrying", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const deadline = callOptions({ retry: { maxAttempts: 2, backoff: { initialMs: 7 } } }).deadline as Date;
    const call = await bench.unary({ deadline });

    await failCurrent(bench);
    expect(await msToNextAttempt(bench)).toBe(7);
    await failCurrent(bench);

    expect(call.isOver).toBe(true);
  });

  it("B05: delivers the answer of the attempt that succeeds, and nothing of those before it", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = await bench.unary();
    await failCurrent(bench);
    await msToNextAttempt(bench);

    bench.network.current.ok("finally");
    await bench.settle();

    expect(call.log).toEqual(["headers", "finally", "status"]);
    expect(call.status.code).toBe(status.OK);
    expect(bench.channel.stats().calls).toMatchObject({
      started: 1,
      succeeded: 1,
      failed: 0,
      attempts: 2,
      retries: 1,
    });
  });

  it("R14: is not made once response headers have arrived", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const call = await bench.unary();

    bench.network.current.failAfterHeaders(status.UNAVAILABLE);
    await bench.settle();

    expect(call.log).toEqual(["headers", "status"]);
    expect(bench.network.calls).toHaveLength(1);
    expect(call.status.explanation).toContain("the response had begun");
  });
});

describe("what each attempt carries", () => {
  it("R42: the number of attempts before it, from the second on", async () => {
    const bench = await readyBench(FIVE_ATTEMPTS);
    await bench.unary();
    for (let attempt = 0; attempt < 2; attempt++) {
      await failCurrent(bench);
      await msToNextAttempt(bench);
    }

    expect(bench.network.calls.map(({ previousAttempts }) => previousAttempts)).toEqual([
      undefined,
      "1",
      "2",
    ]);
  });

  it("R49: the time left when it starts", async () => {
    const bench = await readyBench({ ...FIVE_ATTEMPTS, attemptTimeoutMs: null });
    await bench.unary({ deadline: bench.clock.epoch() + 5_000 });
    const left = [bench.network.current.timeoutAt(bench.clock.epoch())];
    for (let attempt = 0; attempt < 2; attempt++) {
      await failCurrent(bench);
      await msToNextAttempt(bench);
      left.push(bench.network.current.timeoutAt(bench.clock.epoch()));
    }

    expect(left).toEqual([5_000, 4_900, 4_700]);
  });

  it("the caller's metadata and message, and the caller's own metadata stays as it was", async () => {
    const bench = await readyBench(FIVE_ATTEMPTS);
    const metadata = new Metadata();
    metadata.set("tenant", "blue");
    await bench.unary({ metadata, request: "ask" });
    await failCurrent(bench);
    await msToNextAttempt(bench);

    expect(bench.network.calls.map((call) => call.metadata.get("tenant"))).toEqual([["blue"], ["blue"]]);
    expect(bench.network.calls.map(({ sentTexts }) => sentTexts)).toEqual([["ask"], ["ask"]]);
    expect(Object.keys(metadata.getMap())).toEqual(["tenant"]);
  });
});
