import { AsyncLocalStorage } from "node:async_hooks";
import { CallCredentials, Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { A, IDEMPOTENT, readyBench } from "../support/channel-bench.js";
import { TestCall } from "../support/test-call.js";

describe("what the machine hands on", () => {
  it("call credentials go with every attempt", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const credentials = CallCredentials.createEmpty();
    const call = new TestCall({
      createCall: (...args) => {
        const inner = bench.channel.createCall(...args);
        inner.setCredentials(credentials);
        return inner;
      },
    });
    call.read().write("x").end();
    await bench.settle();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(100);

    expect(bench.network.calls.map((attempt) => attempt.credentials)).toEqual([credentials, credentials]);
  });

  it("method and host reach every attempt as they were", async () => {
    const bench = await readyBench(IDEMPOTENT);
    const inner = bench.channel.createCall(
      "/test.Echo/Say",
      Number.POSITIVE_INFINITY,
      "kv.example",
      null,
      undefined,
    );
    const call = new TestCall({ createCall: () => inner });
    call.read().write("x").end();
    await bench.settle();
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(100);

    expect(bench.network.calls.map(({ method, authority }) => [method, authority])).toEqual(
      Array(2).fill(["/test.Echo/Say", "kv.example"]),
    );
  });

  it("response metadata reaches the caller before the first message", async () => {
    const bench = await readyBench();
    const call = await bench.unary();
    const headers = new Metadata();
    headers.set("served-by", "a");

    bench.network.current.headers(headers);
    bench.network.current.message("answer");
    bench.network.current.okTrailers();
    await bench.settle();

    expect(call.log).toEqual(["headers", "answer", "status"]);
    expect(call.headers[0]?.get("served-by")).toEqual(["a"]);
  });

  it("the peer is the target before there is an attempt, and then the endpoint", async () => {
    const bench = await readyBench();
    const call = bench.channel.createCall(
      "/test.Echo/Say",
      Number.POSITIVE_INFINITY,
      undefined,
      null,
      undefined,
    );
    expect(call.getPeer()).toBe("static:///10.0.0.1:1");
    expect(call.getAuthContext()).toBeNull();

    const started = await bench.unary();

    expect(started.inner.getPeer()).toBe(A);
    expect(started.inner.getCallNumber()).not.toBe(call.getCallNumber());
    expect(call.getCallNumber()).toBe(call.getCallNumber());
  });

  it.each(["cancel", "fail"] as const)(
    "the caller's async context holds in its callbacks, however the call ends: %s",
    async (end) => {
      const bench = await readyBench(IDEMPOTENT);
      const storage = new AsyncLocalStorage<string>();
      const seen: (string | undefined)[] = [];
      const call = storage.run("request 7", () => {
        const made = new TestCall(bench.channel);
        made.onReceiveStatus = () => void seen.push(storage.getStore());
        return made.read().write("x").end();
      });
      await bench.settle();

      await storage.run("somebody else", async () => {
        bench.network.current.fail(end === "fail" ? status.ABORTED : status.UNAVAILABLE);
        await bench.settle();
        if (end === "cancel") call.cancel();
        await bench.settle();
      });

      expect(seen).toEqual(["request 7"]);
    },
  );
});
