import { AsyncLocalStorage } from "node:async_hooks";
import * as grpc from "@grpc/grpc-js";
import { callOptions, retryInterceptor, retryThrottle } from "holdfast";
import { describe, expect, it } from "vitest";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import {
  CANCELLED,
  DEADLINE_EXCEEDED,
  definitionOf,
  FakeScene,
  INTERNAL,
  INVALID_ARGUMENT,
  OK,
  serverMetadata,
  UNAVAILABLE,
} from "./fake-scene.js";

const IDEMPOTENT = { idempotent: true, throttle: false } as const;

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

describe("a retry interceptor and the server's word", () => {
  it("waits exactly as long as the pushback asked, and starts the backoff anew after it (R25, R26)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, maxAttempts: 4 });
    scene.unary();
    await scene.fail();
    await scene.clock.advance(100);
    await scene.fail(UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": "250" });
    await scene.clock.advance(249);
    expect(scene.attempts).toBe(2);
    await scene.clock.advance(1);
    expect(scene.attempts).toBe(3);
    await scene.fail();
    await scene.clock.advance(100);

    expect(scene.attempts).toBe(4);
  });

  it.each(["-1", "soon", "", "12abc", "1.5", "2147483648"])(
    "returns the failure when the pushback is %j (R23, R24)",
    async (pushback) => {
      const scene = FakeScene.retry(IDEMPOTENT);
      const { told } = scene.unary();
      await scene.fail(UNAVAILABLE, "busy", { "grpc-retry-pushback-ms": pushback });
      await scene.clock.advance(60_000);

      expect(scene.attempts).toBe(1);
      expect(told.statuses).toHaveLength(1);
    },
  );

  it("returns failures instead of retries once half of the tokens are gone (R28, R29, R30)", async () => {
    const throttle = retryThrottle({ maxTokens: 4, tokenRatio: 1 });
    const scene = FakeScene.retry({ idempotent: true, maxAttempts: 5 }, { throttle });
    const { told } = scene.unary();
    await scene.fail();
    await scene.clock.advance(1_000);
    await scene.fail();
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(2);
    expect(throttle.tokens).toBe(2);
    expect(told.statuses).toMatchObject([{ code: UNAVAILABLE }]);
    expect(scene.messages.at(-1)).toBe("retries exhausted");
    // One success gives a token back, and the next call may retry once more.
    scene.unary();
    scene.below.last.end(OK);
    expect(throttle.tokens).toBe(3);
  });

  it("shares one bucket among all methods of an interceptor (R27)", async () => {
    const shared = FakeScene.retry({ idempotent: true, throttle: { maxTokens: 2 } });
    shared.unary({ method: "/test.Service/A" });
    await shared.fail();
    shared.unary({ method: "/test.Service/B" });
    await shared.fail();
    await shared.clock.advance(60_000);

    expect(shared.attempts).toBe(2);
  });

  it("counts one lost connection once, however many calls were on it (R178)", async () => {
    const throttle = retryThrottle({ maxTokens: 10 });
    const scene = FakeScene.retry({ idempotent: true }, { throttle });
    for (let call = 0; call < 20; call++) scene.unary();
    for (const call of [...scene.below.calls]) call.end(UNAVAILABLE, "Connection dropped");
    await settle();
    expect(throttle.tokens).toBe(9);
    await scene.clock.advance(100);
    expect(scene.attempts).toBe(40);
    scene.below.last.end(UNAVAILABLE, "Connection dropped");

    expect(throttle.tokens).toBe(8);
  });
});

describe("a retry interceptor's waits", () => {
  it("ends a call that is cancelled in the backoff at once, and never sends it again (R20, R53)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const { call, told } = scene.unary();
    await scene.fail();
    call.cancelWithStatus(CANCELLED, "enough");
    await settle();
    expect(told.statuses).toMatchObject([{ code: CANCELLED, reason: "CANCELLED", processed: "maybe" }]);
    expect(told.statuses[0]?.details).toContain("enough");
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
    expect(told.statuses).toHaveLength(1);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("hears the signal in the backoff and in an attempt, and leaves no listener on it (R20, R53)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    for (const isInBackoff of [true, false]) {
      const { signal, abort } = countedSignal();
      const before = scene.attempts;
      const { told } = scene.unary({ options: callOptions({ signal }) });
      expect(signal.listeners).toBe(1);
      if (isInBackoff) await scene.fail();
      abort();
      await settle();

      expect(told.statuses).toMatchObject([{ code: CANCELLED, reason: "CANCELLED" }]);
      expect(scene.attempts).toBe(before + 1);
      if (!isInBackoff) expect(scene.below.last.cancelledWith?.code).toBe(CANCELLED);
      expect(signal.listeners).toBe(0);
    }
    await scene.clock.advance(60_000);
    expect(scene.attempts).toBe(2);
  });

  it("sends nothing for a call that was aborted, cancelled or overdue before it began (R51)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const aborted = scene.unary({ options: callOptions({ signal: AbortSignal.abort() }) });
    const overdue = scene.unary({ options: { deadline: scene.clock.epoch() - 5 } });
    const early = scene.interceptor({ method_definition: definitionOf("/a.B/C") }, scene.below.nextCall);
    const statuses: grpc.StatusObject[] = [];
    early.cancelWithStatus(CANCELLED, "early");
    early.start(new grpc.Metadata(), { onReceiveStatus: (status) => void statuses.push(status) });
    await settle();

    expect(scene.attempts).toBe(0);
    expect(aborted.told.statuses).toMatchObject([{ code: CANCELLED, processed: "no" }]);
    expect(overdue.told.statuses).toMatchObject([{ code: DEADLINE_EXCEEDED, processed: "no", attempts: [] }]);
    expect(statuses).toMatchObject([{ code: CANCELLED, processed: "no" }]);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("ends the call at its deadline in a backoff, with the last failure attached (E44, R12)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { initialMs: 1_000 }, attemptTimeoutMs: null });
    const { told } = scene.unary({ options: { deadline: scene.clock.epoch() + 500 } });
    await scene.clock.advance(100);
    await scene.fail(UNAVAILABLE, "the disk is full", { why: "disk" });
    await scene.clock.advance(399);
    expect(told.statuses).toEqual([]);
    await scene.clock.advance(1);

    expect(told.statuses).toMatchObject([
      { code: DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED", processed: "maybe", attempts: [{ ms: 100 }] },
    ]);
    expect(told.statuses[0]?.details).toContain("the disk is full");
    expect(told.statuses[0]?.metadata.get("why")).toEqual(["disk"]);
    await scene.clock.advance(60_000);
    expect(scene.attempts).toBe(1);
    expect(scene.clock.pendingTimers).toBe(0);
  });

  it("gives every attempt the one deadline, within it a limit of its own (R12, R54)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, attemptTimeoutMs: 200, backoff: { kind: "fixed" } });
    const start = scene.clock.epoch();
    const { told } = scene.unary({ options: callOptions({ timeoutMs: 450 }) });
    await scene.clock.advance(200);
    scene.below.last.end(DEADLINE_EXCEEDED, "Deadline exceeded after 0.200s,remote_addr=10.0.0.1:50051");
    await scene.clock.advance(100);
    const limits = scene.below.calls.map(({ options }) => Number(options.deadline) - start);
    expect(limits).toEqual([200, 450]);
    await scene.clock.advance(150);
    scene.below.last.end(DEADLINE_EXCEEDED, "Deadline exceeded after 0.150s,remote_addr=10.0.0.1:50051");
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(2);
    expect(told.statuses).toMatchObject([
      { code: DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED", attempts: [{ reason: "ATTEMPT_TIMEOUT" }, {}] },
    ]);
  });

  it.each([
    { kind: "idempotent unary", idempotent: true, requestStream: false, timeoutMs: 900, limit: 300 },
    {
      kind: "long idempotent unary",
      idempotent: true,
      requestStream: false,
      timeoutMs: 60_000,
      limit: 5_000,
    },
    { kind: "other unary", idempotent: false, requestStream: false, timeoutMs: 900, limit: 900 },
    { kind: "client-streaming", idempotent: true, requestStream: true, timeoutMs: 900, limit: 900 },
  ])("by itself limits an attempt of a call of $timeoutMs ms to $limit ms: $kind (R54)", (row) => {
    const { idempotent, requestStream, timeoutMs, limit } = row;
    const scene = FakeScene.retry({ idempotent });
    scene.start({ requestStream, options: callOptions({ timeoutMs }) });

    expect(Number(scene.below.last.options.deadline) - scene.clock.epoch()).toBe(limit);
  });

  it("sets no limit of its own on a call without a deadline (R48)", () => {
    const scene = FakeScene.retry({ idempotent: true });
    scene.unary();

    expect(scene.below.last.options.deadline).toBeUndefined();
  });

  it("repeats an attempt that an interceptor below let wait until its limit (R54)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, attemptTimeoutMs: 200, backoff: { kind: "immediate" } });
    scene.unary({ options: callOptions({ timeoutMs: 10_000 }) });
    await scene.clock.advance(200);
    const report = { reason: "DEADLINE_EXCEEDED", origin: "local", processed: "no", attempts: [] };
    scene.below.last.end(DEADLINE_EXCEEDED, "Deadline exceeded while waiting for a place", report);
    await scene.clock.advance(0);

    expect(scene.attempts).toBe(2);
  });

  it("goes on only with what the breaker below lets through, and keeps when it will (R21)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const { told } = scene.unary();
    const retryAt = new Date(0);
    const report = { reason: "CIRCUIT_OPEN", origin: "local", processed: "no", attempts: [], retryAt };
    scene.below.last.end(UNAVAILABLE, "The circuit breaker is open", report);
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
    expect(told.statuses).toMatchObject([{ reason: "CIRCUIT_OPEN", processed: "no", retryAt }]);
  });
});

describe("what a retry interceptor sends again", () => {
  it("replays a stream in order with its end, one message after the write of the other (R44)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    scene.below.holdsWrites = true;
    const { call } = scene.start({ requestStream: true });
    const written: string[] = [];
    for (const text of ["a", "b", "c"]) {
      call.sendMessageWithContext({ callback: () => void written.push(text) }, text);
    }
    call.halfClose();
    const write = async (): Promise<void> => {
      scene.below.last.written();
      await settle();
    };
    await write();
    expect(scene.attempt(1).order).toEqual(["a", "b"]);
    await scene.fail();
    expect(scene.attempt(2).order).toEqual(["a"]);
    for (let message = 0; message < 3; message++) await write();

    expect(scene.attempt(2).order).toEqual(["a", "b", "c", "half-close"]);
    expect(written).toEqual(["a", "b", "c"]);
  });

  it("tells a writer once, whatever callback comes twice or from an attempt that is over (R44)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    scene.below.holdsWrites = true;
    const { call } = scene.start({ requestStream: true });
    let written = 0;
    call.sendMessageWithContext({ callback: () => void written++ }, "a");
    call.sendMessageWithContext({ callback: () => void written++ }, "b");
    await scene.fail();
    scene.attempt(1).written();
    expect([written, scene.attempt(1).sent, scene.attempt(2).sent]).toEqual([0, ["a"], ["a"]]);
    scene.attempt(2).written();
    scene.attempt(2).written();
    await settle();

    expect(scene.attempt(2).sent).toEqual(["a", "b"]);
    expect(written).toBe(2);
  });

  it("asks a new attempt for answers only as the application had asked (R44)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    const { call } = scene.start({ responseStream: true });
    await scene.fail();
    expect(scene.attempt(2).reads).toBe(0);
    call.startRead();
    await scene.fail();

    expect(scene.attempt(2).reads).toBe(1);
    expect(scene.attempt(3).reads).toBe(1);
  });

  it("sends a stream that is too long for the buffer once (R15, R16, R18, R19)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, maxBufferedMessages: 2 });
    const { call, told } = scene.start({ requestStream: true });
    for (const text of ["a", "b", "c"]) call.sendMessage(text);
    await scene.fail();
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
    expect(scene.attempt(1).sent).toEqual(["a", "b", "c"]);
    expect(told.statuses).toMatchObject([
      { attempts: [{ next: "not retried: the request is no longer in the retry buffer" }] },
    ]);
  });

  it("makes the attempt that is pending its last when the buffer overflows in a backoff (R16)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, maxBufferedMessages: 2 });
    const { call, told } = scene.start({ requestStream: true });
    call.sendMessage("a");
    await scene.fail();
    for (const text of ["b", "c", "d"]) call.sendMessage(text);
    await scene.clock.advance(100);
    expect(scene.attempt(2).sent).toEqual(["a", "b", "c", "d"]);
    await scene.fail();
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(2);
    expect(told.statuses).toHaveLength(1);
  });

  it("keeps nothing at all with maxBufferedMessages 0 (R19)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, maxBufferedMessages: 0 });
    scene.unary();
    await scene.fail();
    await scene.clock.advance(60_000);

    expect(scene.attempts).toBe(1);
  });

  it("lets go of those who wait to write when the call is over (R19)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    const { call } = scene.start({ requestStream: true });
    let written = 0;
    await scene.fail();
    call.sendMessageWithContext({ callback: () => void written++ }, "late");
    call.cancelWithStatus(CANCELLED, "enough");
    call.sendMessageWithContext({ callback: () => void written++ }, "too late");
    await settle();

    expect(written).toBe(2);
  });

  it("tells a writer whose message was on its way when a committed attempt ended (R18, R44)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    scene.below.holdsWrites = true;
    const { call } = scene.start({ requestStream: true });
    let written = 0;
    call.sendMessageWithContext({ callback: () => void written++ }, "a");
    scene.below.last.headers();
    await scene.fail();

    expect(written).toBe(1);
  });

  it("makes later attempts in the async context of the caller (R44)", async () => {
    const storage = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const scene = FakeScene.retry({ ...IDEMPOTENT, maxAttempts: 2 });
    const { nextCall } = scene.below;
    const watched: grpc.NextCall = (options) => {
      seen.push(storage.getStore());
      return nextCall(options);
    };
    storage.run("mine", () => {
      const call = scene.interceptor({ method_definition: definitionOf("/a.B/C") }, watched);
      call.start(new grpc.Metadata(), { onReceiveStatus: () => void seen.push(storage.getStore()) });
    });
    await scene.fail();
    await scene.clock.advance(100);
    await scene.fail();

    expect(seen).toEqual(["mine", "mine", "mine"]);
  });

  it("sends the credentials of the call with every attempt (R44)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    const credentials = grpc.credentials.createEmpty();
    scene.unary({ options: { credentials } });
    await scene.fail();

    expect(scene.below.calls.map(({ options }) => options.credentials)).toEqual([credentials, credentials]);
  });
});

describe("settings of a call through a retry interceptor", () => {
  it("take the call's own word on idempotency before the method's (R162)", async () => {
    const scene = FakeScene.retry({ idempotent: true, throttle: false, backoff: { kind: "immediate" } });
    scene.unary({ options: callOptions({ idempotent: false }) });
    await scene.fail();
    expect(scene.attempts).toBe(1);

    const other = FakeScene.retry({ throttle: false, backoff: { kind: "immediate" } });
    other.unary({ options: callOptions({ idempotent: true }) });
    await other.fail();
    other.unary({ metadata: new grpc.Metadata({ idempotentRequest: true }) });
    await other.fail();
    expect(other.attempts).toBe(4);
  });

  it("find idempotency in the definition where nothing else says (R162)", async () => {
    const scene = FakeScene.retry({ throttle: false, backoff: { kind: "immediate" } });
    const definition = { ...definitionOf("/a.B/C"), options: { idempotencyLevel: "IDEMPOTENT" } };
    scene.interceptor({ method_definition: definition }, scene.below.nextCall).start(new grpc.Metadata());
    await scene.fail();

    expect(scene.attempts).toBe(2);
  });

  it("change the retry policy of the call, within maxAttemptsLimit (R2)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    scene.unary({ options: callOptions({ retry: false }) });
    await scene.fail();
    expect(scene.attempts).toBe(1);

    const retry = {
      maxAttempts: 20,
      retryableCodes: ["ABORTED"],
      backoff: { kind: "fixed" as const, initialMs: 7 },
    };
    scene.unary({ options: callOptions({ retry }) });
    for (let attempt = 0; attempt < 8; attempt++) {
      await scene.fail(grpc.status.ABORTED);
      await scene.clock.advance(8.4);
    }
    expect(scene.attempts).toBe(1 + 5);
  });

  it("are those of the method where the options name it, each key by itself (R8)", async () => {
    const scene = FakeScene.retry({
      throttle: false,
      backoff: { kind: "immediate" },
      methods: {
        "test.Service": { idempotent: true, retry: { maxAttempts: 2 } },
        "test.Service/Once": { retry: false },
        "test.Service/Write": { idempotent: false },
      },
    });
    const made: Record<string, number> = {};
    for (const method of ["Read", "Once", "Write"]) {
      const before = scene.attempts;
      scene.unary({ method: `/test.Service/${method}` });
      for (let attempt = 0; attempt < 4; attempt++) await scene.fail();
      made[method] = scene.attempts - before;
    }

    expect(made).toEqual({ Read: 2, Once: 1, Write: 1 });
  });
});

describe("the log of a retry interceptor", () => {
  it("has a line for each retry and for the success, without a server's text (E47)", async () => {
    const scene = FakeScene.retry(IDEMPOTENT);
    scene.unary();
    await scene.fail(UNAVAILABLE, "secret");
    await scene.clock.advance(100);
    scene.below.last.end(OK);

    const method = "/test.Service/Method";
    expect(scene.lines).toEqual([
      {
        level: "info",
        message: "attempt 2 after 100 ms",
        line: { method, attempt: 2, delayMs: 100, code: UNAVAILABLE, reason: "REMOTE" },
      },
      { level: "info", message: "succeeded on attempt 2", line: { method, attempt: 2 } },
    ]);
  });

  it("says when the retries are exhausted, and nothing of calls that went well at once (E47)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" }, maxAttempts: 2 });
    scene.unary();
    scene.below.last.end(OK);
    expect(scene.lines).toEqual([]);
    scene.unary();
    await scene.fail();
    await scene.fail();

    expect(scene.messages).toEqual(["attempt 2 after 0 ms", "retries exhausted"]);
    expect(scene.lines.at(-1)).toMatchObject({ level: "warn", line: { attempts: 2, code: UNAVAILABLE } });
  });

  it("calls a last failure of our own RETRIES_EXHAUSTED, with all attempts (E47)", async () => {
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" }, maxAttempts: 2 });
    const { told } = scene.unary();
    for (let attempt = 0; attempt < 2; attempt++) {
      scene.below.last.end(UNAVAILABLE, "Connection dropped");
      await scene.clock.advance(0);
    }

    expect(told.statuses).toMatchObject([{ reason: "RETRIES_EXHAUSTED", processed: "maybe" }]);
    expect(told.statuses[0]?.["attempts"]).toHaveLength(2);
  });

  it("may throw without changing a call (E47)", async () => {
    const clock = new ManualClock();
    const broken = (): never => {
      throw new Error("no disk");
    };
    const scene = FakeScene.retry({ ...IDEMPOTENT, backoff: { kind: "immediate" } });
    const interceptor = retryInterceptor(
      { idempotent: true, backoff: { kind: "immediate" } },
      { clock, log: { info: broken, warn: broken } },
    );
    const call = interceptor({ method_definition: definitionOf("/a.B/C") }, scene.below.nextCall);
    const codes: number[] = [];
    call.start(new grpc.Metadata(), { onReceiveStatus: ({ code }) => void codes.push(code) });
    scene.below.last.end(UNAVAILABLE, "down", { metadata: serverMetadata() });
    await clock.advance(0);
    scene.below.last.end(OK);

    expect(codes).toEqual([OK]);
  });
});

function countedSignal(): { readonly signal: AbortSignal & { readonly listeners: number }; abort(): void } {
  const controller = new AbortController();
  const { signal } = controller;
  let listeners = 0;
  const add = signal.addEventListener.bind(signal);
  const remove = signal.removeEventListener.bind(signal);
  signal.addEventListener = (...args: Parameters<typeof add>) => {
    listeners++;
    add(...args);
  };
  signal.removeEventListener = (...args: Parameters<typeof remove>) => {
    listeners--;
    remove(...args);
  };
  Object.defineProperty(signal, "listeners", { get: () => listeners });
  return { signal: signal as AbortSignal & { readonly listeners: number }, abort: () => controller.abort() };
}
