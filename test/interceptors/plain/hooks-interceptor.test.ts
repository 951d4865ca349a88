import { AsyncLocalStorage } from "node:async_hooks";
import * as grpc from "@grpc/grpc-js";
import { type CallHooks, callOptions, type FinishedCall, hooksInterceptor, type StartedCall } from "holdfast";
import { afterEach, describe, expect, it, vi } from "vitest";
import { configErrorOf } from "../../support/config-error.js";
import { KINDS } from "../../support/contract-calls.js";
import { direct } from "../../support/directed-server.js";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { FakeTransport, startThrough, unaryThrough } from "./fake-below.js";
import { usePlainBench } from "./plain-bench.js";

const { status } = grpc;

/** Hooks that note what they were told, in order. */
function noting() {
  const started: StartedCall[] = [];
  const finished: FinishedCall[] = [];
  const counts: string[] = [];
  const hooks: CallHooks = {
    onStart: (call) => void started.push(call),
    onFinish: (call) => void finished.push(call),
    onMessageSent: ({ sent, received }) => void counts.push(`sent ${sent}/${received}`),
    onMessageReceived: ({ sent, received }) => void counts.push(`received ${sent}/${received}`),
  };
  return { hooks, started, finished, counts };
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the hooks interceptor", () => {
  it("tells of the start, of each message by number, and of the end", async () => {
    const { hooks, started, finished, counts } = noting();
    const clock = new ManualClock();
    const transport = new FakeTransport();
    const options = { deadline: clock.epoch() + 500 };

    unaryThrough(hooksInterceptor(hooks, { clock }), transport, { responseStream: true, options });
    transport.last.answer("a");
    transport.last.answer("b");
    await clock.advance(7);
    transport.last.end(status.OK, "fine");

    expect(started).toEqual([
      {
        method: "/test.Service/Method",
        requestStream: false,
        responseStream: true,
        attempt: 1,
        deadline: options.deadline,
      },
    ]);
    expect(counts).toEqual(["sent 1/0", "received 1/1", "received 1/2"]);
    expect(finished).toEqual([
      {
        method: "/test.Service/Method",
        code: status.OK,
        details: "fine",
        reason: null,
        ms: 7,
        attempt: 1,
        endpoint: "10.0.0.1:50051",
        sent: 1,
        received: 2,
      },
    ]);
  });

  it("knows of no deadline where the call has none", () => {
    const { hooks, started } = noting();
    const transport = new FakeTransport();

    unaryThrough(hooksInterceptor(hooks), transport);
    unaryThrough(hooksInterceptor(hooks), transport, { options: callOptions({ idempotent: true }) });

    expect(started.map(({ deadline }) => deadline)).toEqual([null, null]);
  });

  it("B13: tells of the end once, whatever comes from below", () => {
    const { hooks, finished } = noting();
    const transport = new FakeTransport();
    unaryThrough(hooksInterceptor(hooks), transport);

    transport.last.end(status.UNAVAILABLE, "first", {
      reason: "REMOTE",
      origin: "remote",
      processed: "maybe",
      attempts: [],
    });
    transport.last.end(status.OK);

    expect(finished).toMatchObject([{ code: status.UNAVAILABLE, details: "first", reason: "REMOTE" }]);
  });

  it("B13: tells of the end of a cancelled call", async () => {
    const { hooks, finished } = noting();
    const transport = new FakeTransport();
    const { call } = unaryThrough(hooksInterceptor(hooks), transport);

    call.cancelWithStatus(status.CANCELLED, "never mind");
    await settle();

    expect(finished).toMatchObject([{ code: status.CANCELLED, details: "never mind" }]);
  });

  it("D33: makes fresh hooks for each call where a function is given", () => {
    const ends: string[] = [];
    const transport = new FakeTransport();
    let calls = 0;
    const interceptor = hooksInterceptor(({ method }) => {
      const number = ++calls;
      let messages = 0;
      return {
        onMessageReceived: () => void messages++,
        onFinish: () => void ends.push(`${method} ${number}: ${messages}`),
      };
    });
    unaryThrough(interceptor, transport);
    unaryThrough(interceptor, transport);

    transport.calls[0]?.answer("a");
    for (const call of transport.calls) call.end(status.OK);

    expect(ends).toEqual(["/test.Service/Method 1: 1", "/test.Service/Method 2: 0"]);
  });

  const refuse = () => {
    throw new Error("my hook");
  };
  it.each([
    [
      "each hook throws",
      { onStart: refuse, onFinish: refuse, onMessageSent: refuse, onMessageReceived: refuse },
    ],
    ["each hook rejects", { onStart: async () => refuse(), onFinish: async () => refuse() }],
    ["the function that makes them throws", refuse],
    ["the function that makes them gives none", () => undefined],
    ["the function that makes them misspells one", () => ({ onFinished: () => {} })],
  ])("changes nothing when %s, and warns once", async (_, hooks) => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const transport = new FakeTransport();
    const interceptor = hooksInterceptor(hooks as unknown as CallHooks);

    for (let call = 0; call < 3; call++) {
      const { told } = unaryThrough(interceptor, transport);
      transport.last.answer("answer");
      transport.last.end(status.OK);
      await settle();
      expect(told).toMatchObject({ messages: ["answer"], statuses: [{ code: status.OK }] });
    }

    expect(warn).toHaveBeenCalledTimes(1);
    expect(warn.mock.calls[0]).toEqual([expect.stringMatching(/^a hook threw: /), "HoldfastWarning"]);
  });

  it("runs hooks in the async context of the caller", () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const note = () => void seen.push(context.getStore());
    const transport = new FakeTransport();
    const interceptor = hooksInterceptor({ onStart: note, onFinish: note, onMessageReceived: note });

    context.run("caller", () => startThrough(interceptor, transport));
    context.run("somebody else", () => {
      transport.last.answer("a");
      transport.last.end(status.OK);
    });

    expect(seen).toEqual(["caller", "caller", "caller"]);
  });

  it.each([
    [{ onFinished: () => {} }, "onFinished is not a known key (did you mean onFinish?)"],
    [{ onStart: "start" }, "onStart: must be a function"],
    [null, "options is null"],
  ])("refuses %o", (hooks, sentence) => {
    const error = configErrorOf(() => hooksInterceptor(hooks as unknown as CallHooks));

    expect(error.details).toContain(sentence);
  });
});

describe("the hooks interceptor on a real client", () => {
  const bench = usePlainBench();

  it.each(KINDS)("B13: tells once how a %s call ended: well, refused, or cancelled", async (kind) => {
    const { hooks, finished } = noting();
    const stub = bench.open([hooksInterceptor(hooks)]);

    await bench.call(stub, kind);
    await bench.call(stub, kind, { metadata: direct("fail-late") });
    const hanging = bench.start(stub, kind, { metadata: direct("hang"), isLeftOpen: true });
    await bench.server.received(bench.server.receivedCount + 1);
    hanging.raw.cancel();
    await hanging.end;

    const codes = [status.OK, status.FAILED_PRECONDITION, status.CANCELLED];
    expect(finished.map(({ code }) => code)).toEqual(codes);
  });
});
