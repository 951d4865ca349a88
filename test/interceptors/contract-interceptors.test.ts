import * as grpc from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { KINDS } from "../support/contract-calls.js";
import { describeAllDoors, itWhere } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";

/** Leaves its mark in the metadata, as interceptors for tokens and tracing do, and counts its runs. */
function marking(mark: string): grpc.Interceptor & { readonly runs: string[] } {
  const runs: string[] = [];
  const interceptor: grpc.Interceptor = (options, nextCall) =>
    new grpc.InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        runs.push(options.method_definition.path);
        metadata.add("mark", mark);
        next(metadata, listener);
      },
    });
  return Object.assign(interceptor, { runs });
}

describeAllDoors((entrance) => {
  it.each(KINDS)("runs the stub's own interceptors on a %s call", async (kind) => {
    const client = { interceptors: [marking("outer"), marking("inner")] };

    const end = await entrance.call(kind, {}, { client });

    expect(end.error).toBeNull();
    expect(entrance.runs.map((run) => run.metadata.get("mark"))).toEqual([["outer, inner"]]);
  });

  it("runs the stub's own interceptor providers with the method they are asked for", async () => {
    const paths: string[] = [];
    const provider: grpc.InterceptorProvider = (method) => {
      paths.push(method.path);
      return marking("provided");
    };

    await entrance.call("unary", {}, { client: { interceptor_providers: [provider] } });

    expect(entrance.runs.map((run) => run.metadata.get("mark"))).toEqual([["provided"]]);
    expect(paths).toEqual(["/holdfast.contract.Contract/Unary"]);
  });

  itWhere(entrance.can("callInterceptors"))(
    "lets the interceptors of a call replace those of the stub",
    async () => {
      const own = marking("own");
      const options = { interceptors: [marking("of the call")] };

      await entrance.call("unary", { options }, { client: { interceptors: [own] } });

      expect(entrance.runs.map((run) => run.metadata.get("mark"))).toEqual([["of the call"]]);
      expect(own.runs).toEqual([]);
    },
  );

  itWhere(entrance.can("retry"))(
    "runs an interceptor once per call, however many attempts the call takes (R173)",
    async () => {
      const own = marking("own");
      const metadata = direct("fail-first", { idempotentRequest: true });

      const end = await entrance.call("unary", { metadata }, { client: { interceptors: [own] } });

      expect(end.error).toBeNull();
      expect(own.runs).toHaveLength(1);
      expect(entrance.runs.map((run) => run.metadata.get("mark"))).toEqual([["own"], ["own"]]);
    },
  );

  it("lets an interceptor answer in the place of the server", async () => {
    const status = {
      code: grpc.status.FAILED_PRECONDITION,
      details: "not today",
      metadata: new grpc.Metadata(),
    };
    const answering: grpc.Interceptor = (options, nextCall) =>
      new grpc.InterceptingCall(nextCall(options), {
        start(_metadata, listener) {
          process.nextTick(() => listener.onReceiveStatus(status));
        },
        sendMessage() {},
        halfClose() {},
      });

    const end = await entrance.call("unary", {}, { client: { interceptors: [answering] } });

    expect(end.error).toMatchObject({ code: grpc.status.FAILED_PRECONDITION, details: "not today" });
    expect(entrance.runs).toEqual([]);
  });
});
