import { EventEmitter } from "node:events";
import * as grpc from "@grpc/grpc-js";
import { callOptions, hooksInterceptor, metadataInterceptor } from "holdfast";
import { describe, expect, it } from "vitest";
import { listenerCounts } from "../../support/leak-check.js";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { FakeTransport, startThrough, unaryThrough } from "./fake-below.js";

/** An interceptor that waits until the test lets it go on. */
function waiting(clock = new ManualClock()) {
  let release: () => void = () => {};
  let fail: (error: Error) => void = () => {};
  const interceptor = metadataInterceptor(
    () =>
      new Promise<grpc.Metadata>((resolve, reject) => {
        release = () => resolve(new grpc.Metadata());
        fail = reject;
      }),
    {},
    { clock },
  );
  return { interceptor, clock, release: () => release(), fail: (error: Error) => fail(error) };
}

describe("a call that waits in an interceptor", () => {
  it("sends everything that was held, one message after the other, and the half-close last", async () => {
    const transport = new FakeTransport();
    transport.holdsWrites = true;
    const { interceptor, release } = waiting();
    const { call } = startThrough(interceptor, transport, { requestStream: true });
    for (const message of ["a", "b", "c"]) call.sendMessage(message);
    call.halfClose();
    call.startRead();
    expect(transport.calls).toEqual([]);

    release();
    await settle();
    expect(transport.last.order).toEqual(["a"]);
    transport.last.written();
    transport.last.written();

    expect(transport.last.order).toEqual(["a", "b", "c", "half-close"]);
    expect(transport.last.reads).toBe(1);
  });

  it("ends at once when it is cancelled, makes no call, and tells of it once", async () => {
    const transport = new FakeTransport();
    const { interceptor, clock, release } = waiting();
    const { call, told } = unaryThrough(interceptor, transport, {
      options: { deadline: clock.epoch() + 1_000 },
    });

    call.cancelWithStatus(grpc.status.CANCELLED, "Cancelled on client");
    release();
    await settle();

    expect(told.statuses).toHaveLength(1);
    expect(told.statuses[0]).toMatchObject({
      code: grpc.status.CANCELLED,
      details: "Cancelled on client",
      reason: "CANCELLED",
      origin: "local",
      processed: "no",
    });
    expect(transport.calls).toEqual([]);
    expect(clock.pendingTimers).toBe(0);
  });

  it("ends at its deadline", async () => {
    const transport = new FakeTransport();
    const { interceptor, clock } = waiting();
    const { told } = unaryThrough(interceptor, transport, { options: { deadline: clock.epoch() + 50 } });

    await clock.advance(49);
    expect(told.statuses).toEqual([]);
    await clock.advance(1);

    expect(told.statuses[0]).toMatchObject({
      code: grpc.status.DEADLINE_EXCEEDED,
      reason: "DEADLINE_EXCEEDED",
    });
    expect(transport.calls).toEqual([]);
  });

  it("ends when its signal is aborted, and lets go of the signal", async () => {
    const transport = new FakeTransport();
    const { interceptor } = waiting();
    const controller = new AbortController();
    const options = callOptions({ signal: controller.signal });
    const { told } = unaryThrough(interceptor, transport, { options });
    expect(listenerCounts(controller.signal)).toEqual({ abort: 1 });

    controller.abort();
    await settle();

    expect(told.statuses[0]).toMatchObject({ code: grpc.status.CANCELLED, reason: "CANCELLED" });
    expect(listenerCounts(controller.signal)).toEqual({ abort: 0 });
  });

  it("lets go of signal, parent and timer once it is on its way", async () => {
    const transport = new FakeTransport();
    const { interceptor, clock, release } = waiting();
    const controller = new AbortController();
    const parent = Object.assign(new EventEmitter(), {
      cancelled: false,
      getDeadline: () => clock.epoch() + 20,
    });
    const options = {
      ...callOptions({ signal: controller.signal }),
      parent: parent as unknown as NonNullable<grpc.CallOptions["parent"]>,
    };
    const { told } = unaryThrough(interceptor, transport, { options });

    release();
    await settle();

    expect(listenerCounts(controller.signal)).toEqual({ abort: 0 });
    expect([parent.listenerCount("cancelled"), clock.pendingTimers]).toEqual([0, 0]);
    expect([transport.calls.length, told.statuses.length]).toEqual([1, 0]);
  });

  it("ends when its signal had been aborted before", async () => {
    const transport = new FakeTransport();
    const { interceptor, release } = waiting();
    const { told } = unaryThrough(interceptor, transport, {
      options: callOptions({ signal: AbortSignal.abort() }),
    });

    await settle();
    release();
    await settle();

    expect(told.statuses.map(({ reason }) => reason)).toEqual(["CANCELLED"]);
    expect(transport.calls).toEqual([]);
  });

  it.each([false, true])(
    "ends with its parent call, had it been cancelled before: %s",
    async (isCancelledBefore) => {
      const transport = new FakeTransport();
      const { interceptor } = waiting();
      const parent = Object.assign(new EventEmitter(), {
        cancelled: isCancelledBefore,
        getDeadline: () => Number.POSITIVE_INFINITY,
      });
      const options = { parent: parent as unknown as NonNullable<grpc.CallOptions["parent"]> };
      const { told } = unaryThrough(interceptor, transport, { options });

      if (!isCancelledBefore) parent.emit("cancelled");
      await settle();

      expect(told.statuses[0]).toMatchObject({
        code: grpc.status.CANCELLED,
        details: "Cancelled by parent call",
      });
      expect(parent.listenerCount("cancelled")).toBe(0);
    },
  );

  it("ends with the deadline of its parent call", async () => {
    const transport = new FakeTransport();
    const { interceptor, clock } = waiting();
    const parent = Object.assign(new EventEmitter(), {
      cancelled: false,
      getDeadline: () => clock.epoch() + 20,
    });
    const options = { parent: parent as unknown as NonNullable<grpc.CallOptions["parent"]> };
    const { told } = unaryThrough(interceptor, transport, { options });

    await clock.advance(20);

    expect(told.statuses[0]).toMatchObject({ code: grpc.status.DEADLINE_EXCEEDED });
    expect(parent.listenerCount("cancelled")).toBe(0);
  });

  it("lets a writer go on when it ends before its messages were sent", async () => {
    const { interceptor } = waiting();
    const { call } = startThrough(interceptor, new FakeTransport(), { requestStream: true });
    const written: string[] = [];
    call.sendMessageWithContext({ callback: () => written.push("before") }, "a");

    call.cancelWithStatus(grpc.status.CANCELLED, "enough");
    call.sendMessageWithContext({ callback: () => written.push("after") }, "b");
    await settle();

    expect(written).toEqual(["before", "after"]);
  });

  it("counts the time of callOptions from the moment the call is made, not from the end of the wait", async () => {
    const transport = new FakeTransport();
    const { interceptor, clock, release } = waiting();
    unaryThrough(interceptor, transport, { options: callOptions({ timeoutMs: 1_000, idempotent: true }) });
    const madeAt = clock.epoch();

    await clock.advance(300);
    release();
    await settle();

    expect(Number(transport.last.options.deadline)).toBe(madeAt + 1_000);
    expect(transport.last.options.deadline).toMatchObject({ settings: { idempotent: true } });
  });
});

describe("a call through an interceptor", () => {
  it("tells its caller nothing after its status, whatever comes from below", () => {
    const transport = new FakeTransport();
    const { told } = unaryThrough(hooksInterceptor({}), transport);
    transport.last.answer("answer");
    transport.last.end(grpc.status.OK);

    transport.last.end(grpc.status.UNAVAILABLE, "again");
    transport.last.answer("late");
    transport.last.headers();

    expect([told.statuses.length, told.messages.length, told.headers.length]).toEqual([1, 1, 0]);
  });

  it("hands the missing answer of a failed call on before the status, as grpc-js does", () => {
    const transport = new FakeTransport();
    const { told } = unaryThrough(hooksInterceptor({}), transport);

    transport.last.answer(null);
    expect(told.messages).toEqual([]);
    transport.last.end(grpc.status.NOT_FOUND, "no such thing");

    expect(told.messages).toEqual([null]);
  });

  it("ends with CLIENT_CLOSED on a channel that was closed while it waited", async () => {
    const transport = new FakeTransport();
    const { interceptor, release } = waiting();
    const { told } = unaryThrough(interceptor, transport);

    transport.error = new Error("Channel has been shut down");
    release();
    await settle();

    expect(told.statuses[0]).toMatchObject({
      code: grpc.status.CANCELLED,
      reason: "CLIENT_CLOSED",
      processed: "no",
    });
  });

  it("ends with a clear error when an interceptor below throws", async () => {
    const transport = new FakeTransport();
    transport.error = new TypeError("options.foo is not a function");
    const { told } = unaryThrough(hooksInterceptor({}), transport);

    await settle();

    expect(told.statuses).toHaveLength(1);
    expect(told.statuses[0]).toMatchObject({
      code: grpc.status.INTERNAL,
      details: "an interceptor threw as the call began: options.foo is not a function",
    });
  });

  it("hands on what the caller's own callback throws", () => {
    const transport = new FakeTransport();
    const failing: grpc.NextCall = (options) => {
      const below = transport.nextCall(options);
      return Object.assign(Object.create(below), {
        start: (_: grpc.Metadata, listener: grpc.InterceptingListener) =>
          listener.onReceiveStatus({ code: 0, details: "", metadata: new grpc.Metadata() }),
      });
    };
    const definition = { path: "/a/b", requestStream: false, responseStream: false } as never;
    const call = hooksInterceptor({})({ method_definition: definition }, failing);

    expect(() =>
      call.start(new grpc.Metadata(), {
        onReceiveStatus: () => {
          throw new Error("mine");
        },
      }),
    ).toThrow("mine");
  });

  it("is cancelled also when that is asked before it is started", async () => {
    const transport = new FakeTransport();
    const definition = { path: "/a/b", requestStream: false, responseStream: false } as never;
    const call = hooksInterceptor({})({ method_definition: definition }, transport.nextCall);
    const statuses: grpc.StatusObject[] = [];

    call.cancelWithStatus(grpc.status.CANCELLED, "never mind");
    call.start(new grpc.Metadata(), { onReceiveStatus: (status) => void statuses.push(status) });
    await settle();

    expect(statuses).toMatchObject([{ code: grpc.status.CANCELLED, details: "never mind" }]);
    expect(transport.calls).toEqual([]);
  });

  it("names a peer only once there is one", () => {
    const transport = new FakeTransport();
    const { interceptor } = waiting();

    expect(startThrough(interceptor, transport).call.getPeer()).toBe("unknown");
    expect(startThrough(hooksInterceptor({}), transport).call.getPeer()).toBe("10.0.0.1:50051");
  });
});
