import * as grpc from "@grpc/grpc-js";
import { compose, hooksInterceptor } from "holdfast";
import { describe, expect, it } from "vitest";
import { configErrorOf } from "../../support/config-error.js";
import { settle } from "../../support/manual-clock.js";
import { FakeTransport, unaryThrough } from "./fake-below.js";
import { usePlainBench } from "./plain-bench.js";

const { status } = grpc;

/** An interceptor as any user writes it, which notes when it sees what. */
function noting(name: string, seen: string[]): grpc.Interceptor {
  return (options, nextCall) =>
    new grpc.InterceptingCall(nextCall(options), {
      start: (metadata, _listener, next) => {
        seen.push(`${name} start`);
        next(metadata, {
          onReceiveStatus: (result, deliver) => {
            seen.push(`${name} status`);
            deliver(result);
          },
        });
      },
    });
}

describe("compose", () => {
  it("B27, E29: puts the first outermost: it sees the call first and the status last", () => {
    const seen: string[] = [];
    const transport = new FakeTransport();

    unaryThrough(compose(noting("a", seen), noting("b", seen), noting("c", seen)), transport);
    transport.last.end(status.OK);

    expect(seen).toEqual(["a start", "b start", "c start", "c status", "b status", "a status"]);
  });

  it("keeps that order when the composed ones are composed again", () => {
    const seen: string[] = [];
    const inner = compose(noting("b", seen), noting("c", seen));

    unaryThrough(compose(noting("a", seen), inner, noting("d", seen)), new FakeTransport());

    expect(seen).toEqual(["a start", "b start", "c start", "d start"]);
  });

  it("composes nothing to nothing", () => {
    const transport = new FakeTransport();

    const { told } = unaryThrough(compose(), transport);
    transport.last.end(status.OK);

    expect(told.statuses).toMatchObject([{ code: status.OK }]);
  });

  it("B27: lets an interceptor answer by itself", () => {
    const cached: grpc.Interceptor = (options, nextCall) =>
      new grpc.InterceptingCall(nextCall(options), {
        start: (_, listener) => {
          const metadata = new grpc.Metadata();
          listener.onReceiveMetadata(metadata);
          listener.onReceiveMessage("from the cache");
          listener.onReceiveStatus({ code: status.OK, details: "", metadata });
        },
        sendMessage: () => {},
        halfClose: () => {},
      });
    const ends: number[] = [];
    const hooks = hooksInterceptor({ onFinish: ({ code }) => void ends.push(code) });

    const { told } = unaryThrough(compose(hooks, cached), new FakeTransport());

    expect(told).toMatchObject({ messages: ["from the cache"], statuses: [{ code: status.OK }] });
    expect(ends).toEqual([status.OK]);
  });

  it("D33: ends the call with an error that names the interceptor which forgot to return a call", async () => {
    function forgetful(options: grpc.InterceptorOptions, nextCall: grpc.NextCall) {
      nextCall(options);
    }
    const chain = compose(hooksInterceptor({}), forgetful as unknown as grpc.Interceptor);

    const { told } = unaryThrough(chain, new FakeTransport());
    await settle();

    expect(told.statuses).toMatchObject([
      {
        code: status.INTERNAL,
        reason: "CONFIG_INVALID",
        details:
          "interceptor 2 (forgetful) returned no call; it must return nextCall(options), or a call of its own",
      },
    ]);
  });

  it("refuses what is no interceptor, all at once", () => {
    const error = configErrorOf(() => compose(undefined as never, hooksInterceptor({}), 5 as never));

    expect(error.details).toBe(
      "compose: 2 problems: interceptor 1 is undefined; allowed: a function; interceptor 3 is 5; allowed: a function",
    );
  });
});

describe("compose on a real client", () => {
  const bench = usePlainBench();

  it("gives per-call interceptors, which replace those of the client, the client's as well", async () => {
    const seen: string[] = [];
    const ofClient = noting("client", seen);
    const stub = bench.open([ofClient]);

    await bench.call(stub, "unary", { options: { interceptors: [noting("call", seen)] } });
    await bench.call(stub, "unary", { options: { interceptors: [compose(ofClient, noting("call", seen))] } });

    expect(seen.filter((event) => event.endsWith("start"))).toEqual([
      "call start",
      "client start",
      "call start",
    ]);
  });
});
