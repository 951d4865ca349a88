import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { fixedRandom } from "../../support/seeded-random.js";
import {
  CANCELLED,
  definitionOf,
  FakeScene,
  IDEMPOTENT,
  INTERNAL,
  INVALID_ARGUMENT,
  OK,
  UNAVAILABLE,
} from "./fake-scene.js";

describe("a retry interceptor's attempts", () => {
  it("makes the first attempt at once, and repeats an idempotent call after the backoff (E44, R9)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const { told } = scene.unary();
    expect(scene.attempts).toBe(1);
    await scene.fail();
    await scene.clock.advance(99);
    expect(scene.attempts).toBe(1);
    await scene.clock.advance(1);

    scene.below.last.answer("done");
    scene.below.last.end(OK);

    expect(told.messages).toEqual(["done"]);
    expect(told.statuses).toMatchObject([{ code: OK, attempts: [{ attempt: 1, code: UNAVAILABLE }] }]);
    expect(scene.attempt(2).order).toEqual(["request", "half-close"]);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it.each([
    { roll: 0, waits: [80, 160, 320, 640] },
    { roll: 1 - 2 ** -30, waits: [120, 240, 480, 960] },
  ])("spreads the backoff by 20 % either way at a roll of $roll (R9, R11)", async ({ roll, waits }) => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, maxAttempts: 5 }, { random: fixedRandom(roll) });
    scene.unary();
    const seen: number[] = [];
    for (const _ of waits) {
      const before = scene.attempts;
      const from = scene.clock.now();
      await scene.fail();
      while (scene.attempts === before) await scene.clock.advance(1);
      seen.push(scene.clock.now() - from);
    }

    expect(seen).toEqual(waits);
  });

  it("makes exactly maxAttempts, and hands on the last failure with the list of all (E44, R8)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    const { told } = scene.unary();
    for (let attempt = 0; attempt < 3; attempt++) await scene.fail(UNAVAILABLE, `down ${attempt + 1}`);
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(3);
    expect(told.statuses).toMatchObject([
      {
        code: UNAVAILABLE,
        details: "down 3",
        reason: "REMOTE",
        processed: "maybe",
        attempts: [
          { details: "down 1" },
          { details: "down 2" },
          { next: "not retried: 3 of 3 attempts used" },
        ],
      },
    ]);
    expect(told.statuses[0]?.["explanation"]).toMatch(
      /^test.Service\/Method: UNAVAILABLE after 3 attempts on/,
    );
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("tells the server how many attempts came before (C21, R42)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    const metadata = new grpc.Metadata();
    metadata.set("tenant", "a");
    scene.unary({ metadata });
    await scene.fail();
    await scene.fail();

    expect(scene.previousAttempts).toEqual([undefined, "1", "2"]);
    expect(scene.below.calls.map((call) => call.metadata.get("tenant"))).toEqual([["a"], ["a"], ["a"]]);
    expect(metadata.get("grpc-previous-rpc-attempts")).toEqual([]);
  });

  it("gives each attempt metadata of its own, which interceptors below may write to (R42)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    scene.unary();
    scene.attempt(1).metadata.add("authorization", "one");
    await scene.fail();

    expect(scene.attempt(2).metadata.get("authorization")).toEqual([]);
  });

  it("never repeats a call that may have run and is not declared idempotent (R22, R162)", async () => {
    const scene = FakeScene.retry();
    const { told } = scene.unary();
    scene.below.last.end(UNAVAILABLE, "Connection dropped");
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
    expect(told.statuses).toMatchObject([{ reason: "CONNECTION_LOST", processed: "maybe" }]);
  });

  it("repeats even a call that is not idempotent when it provably did not run (R21)", async () => {
    const scene = FakeScene.retry();
    const { told } = scene.unary();
    scene.below.last.end(UNAVAILABLE, "No connection established. Last error: connect ECONNREFUSED");
    await scene.clock.advance(100);
    scene.below.last.end(OK);

    expect(scene.attempts).toBe(2);
    expect(told.statuses).toMatchObject([
      { code: OK, attempts: [{ processed: "no", reason: "DIAL_FAILED" }] },
    ]);
  });

  it("repeats a refused stream once, at once, uncounted (R21)", async () => {
    const scene = FakeScene.retry({ maxAttempts: 1 });
    const { told } = scene.unary();
    scene.below.last.end(UNAVAILABLE, "Stream refused by server");
    await scene.clock.advance(0);
    expect(scene.attempts).toBe(2);
    scene.below.last.end(UNAVAILABLE, "Stream refused by server");
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(2);
    expect(scene.previousAttempts).toEqual([undefined, undefined]);
    expect(told.statuses).toMatchObject([{ code: UNAVAILABLE, processed: "no" }]);
  });

  it.each([INVALID_ARGUMENT, INTERNAL, CANCELLED, grpc.status.UNKNOWN])(
    "hands on code %i of a server at once (R162)",
    async (code) => {
      const scene = FakeScene.retry(IDEMPOTENT);
      const { told } = scene.unary();
      await scene.fail(code, "no");

      expect(scene.attempts).toBe(1);
      expect(told.statuses).toMatchObject([{ code, details: "no", reason: "REMOTE" }]);
    },
  );

  it("is committed by headers, and hands on what follows them (R14)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const { told } = scene.unary();
    scene.below.last.headers();
    await scene.fail();
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
    expect(told.headers).toHaveLength(1);
    expect(told.statuses).toMatchObject([{ code: UNAVAILABLE, processed: "maybe" }]);
  });

  it("says that the server ran a call of which an answer arrived (R14, R43)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const { told } = scene.start({ responseStream: true });
    scene.below.last.headers();
    scene.below.last.answer("one");
    scene.below.last.end(UNAVAILABLE, "Connection dropped");
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
    expect(told.messages).toEqual(["one"]);
    expect(told.statuses).toMatchObject([{ processed: "yes", reason: "CONNECTION_LOST" }]);
  });

  it("never repeats what the caller's own code threw (E46)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, retryableCodes: ["INTERNAL", "UNAVAILABLE"] });
    const { told } = scene.unary();
    scene.below.last.end(INTERNAL, "Request message serialization failure: x is not a function");
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
    expect(told.statuses).toHaveLength(1);

    scene.below.error = new TypeError("boom");
    const thrown = scene.unary();
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
    expect(thrown.told.statuses).toMatchObject([
      { code: INTERNAL, reason: "CONFIG_INVALID", processed: "no" },
    ]);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("lets out what the caller's own listener throws, and takes it for no failure of the call (E46)", () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const codes: number[] = [];
    const answersAtOnce: grpc.NextCall = (options) => {
      const call = scene.below.nextCall(options);
      const start = call.start.bind(call);
      call.start = (metadata, listener) => {
        start(metadata, listener);
        scene.below.last.end(OK);
      };
      return call;
    };
    const call = scene.interceptor({ method_definition: definitionOf("/a.B/C") }, answersAtOnce);
    const onReceiveStatus = ({ code }: grpc.StatusObject): void => {
      codes.push(code);
      throw new Error("the caller's own");
    };

    expect(() => call.start(new grpc.Metadata(), { onReceiveStatus })).toThrow("the caller's own");
    expect(codes).toEqual([OK]);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("ends a call on a closed client as CLIENT_CLOSED, without another attempt (E46)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    scene.below.error = new Error("Channel has been shut down");
    const { told } = scene.unary();
    await scene.clock.advance(60_000);

    expect(told.statuses).toMatchObject([{ code: CANCELLED, reason: "CLIENT_CLOSED", processed: "no" }]);
  });

  it("hands a missing single response on only with the last status, not between attempts (R14)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" }, maxAttempts: 2 });
    const { told } = scene.unary();
    scene.below.last.answer(null);
    await scene.fail();
    expect(told.messages).toEqual([]);
    scene.below.last.answer(null);
    await scene.fail();

    expect(told.messages).toEqual([null]);
    expect(told.statuses).toHaveLength(1);
  });
});
