import { AsyncLocalStorage } from "node:async_hooks";
import * as grpc from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { settle } from "../../support/manual-clock.js";
import { CANCELLED, definitionOf, FakeScene, IDEMPOTENT } from "./fake-scene.js";

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
