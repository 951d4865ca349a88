import * as grpc from "@grpc/grpc-js";
import { type BreakerChange, type BreakerInterceptorOptions, breakerInterceptor } from "holdfast";
import { describe, expect, it } from "vitest";
import { configErrorOf } from "../../support/config-error.js";
import { settle } from "../../support/manual-clock.js";
import { BreakerStage } from "./breaker-stage.js";

const { status } = grpc;

describe("the breaker interceptor", () => {
  it("E48, E49: opens on the fifth infrastructure failure in a row and then makes no call", async () => {
    const stage = new BreakerStage();
    stage.fail(4);
    expect(stage.interceptor.state()).toBe("closed");
    stage.fail(1);
    expect(stage.interceptor.state()).toBe("open");

    const { told } = stage.start();
    await settle();

    expect(stage.transport.calls).toHaveLength(5);
    expect(told.statuses[0]).toMatchObject({
      code: status.UNAVAILABLE,
      reason: "CIRCUIT_OPEN",
      origin: "local",
      processed: "no",
      details: "The circuit breaker is open; a probe is let through in 5000 ms",
      retryAt: new Date(stage.clock.epoch() + 5_000),
    });
    expect(stage.interceptor.retryInMs()).toBe(5_000);
  });

  it("lets one probe through when its time is up, and others fail at once meanwhile", async () => {
    const stage = new BreakerStage();
    stage.fail(5);
    await stage.clock.advance(5_000);

    const probe = stage.start();
    const { told } = stage.start();
    await settle();
    expect(stage.interceptor.state()).toBe("half-open");
    expect(told.statuses[0]).toMatchObject({ reason: "CIRCUIT_OPEN" });
    expect(told.statuses[0]?.["retryAt"]).toBeUndefined();

    probe.below?.end(status.OK);
    expect(stage.interceptor.state()).toBe("closed");
    expect(stage.interceptor.retryInMs()).toBeNull();
  });

  it("opens for twice as long when its probe fails", async () => {
    const stage = new BreakerStage();
    stage.fail(5);
    await stage.clock.advance(5_000);

    stage.fail(1);

    expect(stage.changes).toEqual([
      { method: null, from: "closed", to: "open", retryInMs: 5_000 },
      { method: null, from: "open", to: "half-open" },
      { method: null, from: "half-open", to: "open", retryInMs: 10_000 },
    ]);
  });

  it("closes as soon as the answer to its probe begins, also where that is a stream of days", async () => {
    const stage = new BreakerStage();
    stage.fail(5);
    await stage.clock.advance(5_000);
    const { below } = stage.start({ responseStream: true });

    below?.headers();

    expect(stage.interceptor.state()).toBe("closed");
  });

  it("gives its probe back when the probe is cancelled", async () => {
    const stage = new BreakerStage();
    stage.fail(5);
    await stage.clock.advance(5_000);
    stage.start().call.cancelWithStatus(status.CANCELLED, "never mind");
    await settle();

    expect(stage.start().below?.cancelledWith).toBeNull();
    expect(stage.interceptor.state()).toBe("half-open");
  });

  it("has a breaker for each method where that is asked for", async () => {
    const stage = new BreakerStage({ per: "method", consecutiveFailures: 1 });

    stage.fail(1, status.UNAVAILABLE, "down", { method: "/a.B/Sick" });
    stage.start({ method: "/a.B/Well" }).below?.end(status.OK);

    expect(stage.interceptor.state("a.B/Sick")).toBe("open");
    expect(stage.interceptor.state("/a.B/Sick")).toBe("open");
    expect(stage.interceptor.state("a.B/Well")).toBe("closed");
    expect(stage.interceptor.retryInMs("a.B/Other")).toBeNull();
    expect(stage.changes).toMatchObject([{ method: "/a.B/Sick", to: "open" }]);
  });

  it("stops telling of changes when the subscription is disposed", () => {
    const stage = new BreakerStage({ consecutiveFailures: 1 });
    const heard: BreakerChange[] = [];

    stage.interceptor.onChange((change) => heard.push(change)).dispose();
    stage.fail(1);

    expect(heard).toEqual([]);
  });

  it("R178: counts the loss of a connection once, however many calls were on it", () => {
    const stage = new BreakerStage();
    const onIt = Array.from({ length: 20 }, () => stage.start());
    for (const { below } of onIt) below?.end(status.UNAVAILABLE, "Connection dropped");
    expect(stage.interceptor.state()).toBe("closed");

    stage.fail(3, status.UNAVAILABLE, "read ECONNRESET");
    expect(stage.interceptor.state()).toBe("closed");
    stage.fail(1, status.UNAVAILABLE, "read ECONNRESET");

    expect(stage.interceptor.state()).toBe("open");
  });

  it.each([
    ["UNAVAILABLE, said by the server", status.UNAVAILABLE, "down for repairs", {}],
    ["no connection", status.UNAVAILABLE, "No connection established. Last error: Error: connect", {}],
    ["a retry below that gave up", status.UNAVAILABLE, "down", reported("RETRIES_EXHAUSTED", "maybe")],
    ["an attempt timeout below", status.DEADLINE_EXCEEDED, "late", reported("ATTEMPT_TIMEOUT", "maybe")],
    ["a pool without a ready endpoint", status.UNAVAILABLE, "none", reported("NO_READY_ENDPOINT", "no")],
  ])("counts %s", (_, code, details, extra) => {
    const stage = new BreakerStage({ consecutiveFailures: 1 });

    stage.start().below?.end(code, details, extra);

    expect(stage.interceptor.state()).toBe("open");
  });

  it.each([
    ["an answer of the application", status.NOT_FOUND, "no such user", {}],
    ["a refused argument", status.INVALID_ARGUMENT, "id", {}],
    ["the call's own deadline", status.DEADLINE_EXCEEDED, "Deadline exceeded after 0.1s", {}],
    [
      "C07: metadata that HTTP/2 refuses",
      status.INTERNAL,
      "Failed to start HTTP/2 stream with error HTTP/2 header field X",
      {},
    ],
    ["C07: metadata refused below", status.INTERNAL, "te", reported("METADATA_INVALID", "no")],
    ["a full queue below", status.RESOURCE_EXHAUSTED, "many", reported("OVERLOADED", "no")],
    ["another breaker below", status.UNAVAILABLE, "open", reported("CIRCUIT_OPEN", "no")],
    [
      "a deadline that passed in a queue",
      status.DEADLINE_EXCEEDED,
      "wait",
      reported("NO_READY_ENDPOINT", "no"),
    ],
  ])("does not count %s", (_, code, details, extra) => {
    const stage = new BreakerStage({ consecutiveFailures: 1 });

    for (let call = 0; call < 100; call++) stage.start().below?.end(code, details, extra);

    expect(stage.interceptor.state()).toBe("closed");
  });

  it("counts an attempt that an interceptor above cut short", async () => {
    const stage = new BreakerStage({ consecutiveFailures: 1 });

    stage.start().call.cancelWithStatus(status.DEADLINE_EXCEEDED, "The attempt took more than 500 ms");
    await settle();

    expect(stage.interceptor.state()).toBe("open");
  });

  it("learns nothing from a request that could not be serialised", async () => {
    const stage = new BreakerStage();
    const client = new grpc.Client("127.0.0.1:9", grpc.credentials.createInsecure(), {
      interceptors: [stage.interceptor],
    });
    const refuse = (): Buffer => {
      throw new Error("no such field");
    };
    stage.fail(5);
    await stage.clock.advance(5_000);

    const error = await new Promise<grpc.ServiceError | null>((resolve) => {
      client.makeUnaryRequest("/a.B/C", refuse, (bytes) => bytes, {}, resolve);
    });
    client.close();

    expect(error).toMatchObject({ code: status.INTERNAL });
    expect(stage.interceptor.state()).toBe("half-open");
  });

  it("does not count a cancel", async () => {
    const stage = new BreakerStage({ consecutiveFailures: 1 });

    stage.start().call.cancelWithStatus(status.CANCELLED, "never mind");
    await settle();

    expect(stage.interceptor.state()).toBe("closed");
  });

  it("does not count a channel that the user has closed", async () => {
    const stage = new BreakerStage({ consecutiveFailures: 1 });
    stage.transport.error = new Error("Channel has been shut down");

    const { told } = stage.start();
    await settle();

    expect(told.statuses[0]).toMatchObject({ reason: "CLIENT_CLOSED" });
    expect(stage.interceptor.state()).toBe("closed");
  });

  it.each([
    [{ per: "endpoint" }, 'per is "endpoint"'],
    [{ consecutiveFailures: 0 }, "consecutiveFailures is 0; allowed: 1 or more"],
    [{ openMs: 10, maxOpenMs: 5 }, "openMs is 10; allowed: 1 to maxOpenMs (5)"],
    [{ openMS: 10 }, "openMS is not a known key (did you mean openMs?)"],
    [{ count: {}, sampling: {} }, "count is given beside sampling; allowed: one of"],
    [{ scope: "method" }, "scope is not a known key"],
    [{ probedBy: "health" }, "probedBy is not a known key"],
  ])("refuses %o", (options, sentence) => {
    const error = configErrorOf(() => breakerInterceptor(options as BreakerInterceptorOptions));

    expect(error.details).toContain(sentence);
  });
});

function reported(reason: string, processed: string): object {
  return { reason, processed, origin: "local", attempts: [], explanation: "" };
}
