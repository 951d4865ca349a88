import { AsyncLocalStorage } from "node:async_hooks";
import * as grpc from "@grpc/grpc-js";
import { type CallLogger, type LoggingOptions, loggingInterceptor } from "holdfast";
import { pino } from "pino";
import { afterEach, describe, expect, it, vi } from "vitest";
import { configErrorOf } from "../../support/config-error.js";
import { KINDS } from "../../support/contract-calls.js";
import { direct } from "../../support/directed-server.js";
import { ManualClock } from "../../support/manual-clock.js";
import { FakeTransport, type StartArgs, startThrough, unaryThrough } from "./fake-below.js";
import { usePlainBench } from "./plain-bench.js";

const { status } = grpc;

/** A real pino logger, and the lines it has written. */
function logs(level: string) {
  const lines: Record<string, unknown>[] = [];
  const write = (text: string): void => void lines.push(JSON.parse(text));
  return { logger: pino({ level, base: null, timestamp: false }, { write }), lines };
}

class LogStage {
  readonly clock = new ManualClock();
  readonly transport = new FakeTransport();
  readonly lines;
  readonly interceptor;

  constructor(level: string, options: LoggingOptions = {}) {
    const { logger, lines } = logs(level);
    this.lines = lines;
    this.interceptor = loggingInterceptor(logger, options, { clock: this.clock });
  }

  start(args: StartArgs = {}) {
    return unaryThrough(this.interceptor, this.transport, args);
  }
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe("the logging interceptor", () => {
  it("E31: writes one line per call: method, code, ms, attempt, endpoint", async () => {
    const stage = new LogStage("info");
    stage.start();
    await stage.clock.advance(12.5);

    stage.transport.last.end(status.OK);

    expect(stage.lines).toEqual([
      {
        level: 30,
        msg: "call ended",
        method: "/test.Service/Method",
        code: "OK",
        ms: 12.5,
        attempt: 1,
        endpoint: "10.0.0.1:50051",
      },
    ]);
  });

  it("writes failures at a level of their own, with what is known of them", () => {
    const stage = new LogStage("info");
    stage.start();

    stage.transport.last.end(status.UNAVAILABLE, "s3cret", {
      reason: "RETRIES_EXHAUSTED",
      origin: "local",
      processed: "maybe",
      attempts: [{ attempt: 3, endpoint: "10.0.0.3:1" }],
      explanation: "",
    });

    expect(stage.lines).toMatchObject([
      {
        level: 40,
        msg: "call failed",
        code: "UNAVAILABLE",
        attempt: 3,
        endpoint: "10.0.0.3:1",
        reason: "RETRIES_EXHAUSTED",
        processed: "maybe",
      },
    ]);
  });

  it("knows its attempt from a retry above it", () => {
    const stage = new LogStage("info");
    const metadata = new grpc.Metadata();
    metadata.set("grpc-previous-rpc-attempts", "2");
    stage.start({ metadata });

    stage.transport.last.end(status.OK);

    expect(stage.lines).toMatchObject([{ attempt: 3 }]);
  });

  it("logs a call that was never sent without an endpoint", () => {
    const stage = new LogStage("info");
    stage.transport.error = new Error("Channel has been shut down");

    stage.start();

    expect(stage.lines).toMatchObject([{ code: "CANCELLED", reason: "CLIENT_CLOSED", endpoint: null }]);
  });

  it("A35: writes no payload, no metadata and no text of a failure, unless the text is asked for", () => {
    const metadata = new grpc.Metadata();
    metadata.set("authorization", "s3cret");
    for (const details of [false, true]) {
      const stage = new LogStage("trace", { details });
      const { call } = startThrough(stage.interceptor, stage.transport, { metadata });
      call.sendMessage({ password: "s3cret" });
      stage.transport.last.answer({ token: "s3cret" });
      stage.transport.last.end(status.INTERNAL, "the text");

      expect(JSON.stringify(stage.lines)).not.toContain("s3cret");
      expect(stage.lines[0]?.["details"]).toBe(details ? "the text" : undefined);
    }
  });

  it("C24: computes summaries only for lines that are written", () => {
    let computed = 0;
    const summarize = (message: string) => {
      computed++;
      return { length: message.length };
    };
    const run = (level: string, code: grpc.status) => {
      const options = { summarizeRequest: summarize, summarizeResponse: summarize };
      const stage = new LogStage(level, options);
      stage.start();
      if (code === status.OK) stage.transport.last.answer("answer");
      stage.transport.last.end(code);
      return stage.lines;
    };

    expect(run("warn", status.OK)).toEqual([]);
    expect(run("silent", status.UNAVAILABLE)).toEqual([]);
    expect(computed).toBe(0);
    expect(run("info", status.OK)).toMatchObject([{ request: { length: 7 }, response: { length: 6 } }]);
    expect(computed).toBe(2);
    expect(run("warn", status.UNAVAILABLE)).toMatchObject([{ request: { length: 7 } }]);
    expect(computed).toBe(3);
  });

  it("computes nothing at all for a level that is off", () => {
    const stage = new LogStage("warn");
    stage.start();
    const getPeer = vi.spyOn(stage.transport.last, "getPeer");

    stage.transport.last.end(status.OK);

    expect(getPeer).not.toHaveBeenCalled();
  });

  it("changes nothing when the logger or a summary throws, and warns once", () => {
    const warn = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const refuse = () => {
      throw new Error("disk full");
    };
    const broken = { ...logs("info").logger, isLevelEnabled: () => true, info: refuse, warn: refuse };
    const transport = new FakeTransport();
    const interceptor = loggingInterceptor(broken as unknown as CallLogger, { summarizeRequest: refuse });

    for (let call = 0; call < 3; call++) {
      const { told } = unaryThrough(interceptor, transport);
      transport.last.end(status.OK);
      expect(told.statuses).toMatchObject([{ code: status.OK }]);
    }

    expect(warn.mock.calls).toEqual([[expect.stringContaining("disk full"), "HoldfastWarning"]]);
  });

  it("writes the line without its summary when the summary throws", () => {
    vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const stage = new LogStage("info", {
      summarizeRequest: () => {
        throw new Error("no ids");
      },
    });
    stage.start();

    stage.transport.last.end(status.OK);

    expect(stage.lines).toMatchObject([{ code: "OK" }]);
  });

  it("writes in the async context of the caller", () => {
    const context = new AsyncLocalStorage<string>();
    const seen: (string | undefined)[] = [];
    const note = () => void seen.push(context.getStore());
    const logger = { trace: note, debug: note, info: note, warn: note, error: note, fatal: note };
    const transport = new FakeTransport();

    context.run("caller", () => unaryThrough(loggingInterceptor(logger), transport));
    context.run("somebody else", () => transport.last.end(status.OK));

    expect(seen).toEqual(["caller"]);
  });

  it.each([
    [undefined, {}, "the logger has no method info; give a pino logger"],
    [{}, {}, "the logger has no method info"],
    [pino({ level: "silent" }), { level: "loud" }, 'level is "loud"'],
    [pino({ level: "silent" }), { levels: "info" }, "levels is not a known key (did you mean level?)"],
  ])("refuses %o with %o", (logger, options, sentence) => {
    const error = configErrorOf(() => loggingInterceptor(logger as CallLogger, options as LoggingOptions));

    expect(error.details).toContain(sentence);
  });
});

describe("the logging interceptor on a real client", () => {
  const bench = usePlainBench();

  it.each(KINDS)("E32: counts the messages of a %s call and tells how it was closed", async (kind) => {
    const { logger, lines } = logs("info");
    const stub = bench.open([loggingInterceptor(logger)]);

    await bench.call(stub, kind, { texts: ["a", "b"], repeat: 3 });

    const counts = {
      unary: {},
      serverStream: { sent: 1, received: 3 },
      clientStream: { sent: 2, received: 1 },
      bidi: { sent: 2, received: 2 },
    }[kind];
    expect(lines).toMatchObject([{ code: "OK", attempt: 1, endpoint: bench.server.address, ...counts }]);
  });

  it.each(KINDS)("logs a %s call that the server refused", async (kind) => {
    const { logger, lines } = logs("info");
    const stub = bench.open([loggingInterceptor(logger)]);

    await bench.call(stub, kind, { metadata: direct("fail") });

    expect(lines).toMatchObject([{ level: 40, code: "FAILED_PRECONDITION" }]);
  });
});
