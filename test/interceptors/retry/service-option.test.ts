/** What a service definition says of its methods, through interceptors on real stubs: grpc-js does not show it to them. */
import * as grpc from "@grpc/grpc-js";
import { authInterceptor, hedgingInterceptor, retryInterceptor } from "holdfast";
import { describe, expect, it } from "vitest";
import { flavours } from "../../fixtures/stubs/flavours.js";
import { direct } from "../../support/directed-server.js";
import { RawHttp2Server, respondOk, respondTrailersOnly } from "../../support/raw-http2-server.js";
import { usePlainBench } from "../plain/plain-bench.js";

const protoLoader = flavours.find(({ name }) => name === "proto-loader");
const service: grpc.ServiceDefinition = Reflect.get(protoLoader?.Client ?? {}, "service");
const AT_ONCE = { throttle: false, backoff: { kind: "immediate" } } as const;

describe("a method that its service definition calls idempotent", () => {
  const bench = usePlainBench();
  const open = (interceptor: grpc.Interceptor, address?: string) =>
    bench.open([interceptor], address, protoLoader);

  it.each([
    ["read", { service }, 2],
    ["read", { service: [service] }, 2],
    ["read", {}, 1],
    ["unary", { service }, 1],
  ] as const)("is repeated by the retry interceptor: %s with %o", async (method, options, runs) => {
    const stub = open(retryInterceptor({ ...AT_ONCE, ...options }));

    await bench.call(stub, method, { metadata: direct("fail-first") });

    expect(bench.server.runs).toHaveLength(runs);
  });

  it.each([
    ["read", { service }, 2],
    ["read", {}, 1],
    ["unary", { service }, 1],
  ] as const)("is hedged by the hedging interceptor: %s with %o", async (method, options, runs) => {
    const stub = open(hedgingInterceptor({ throttle: false, delayMs: 0, ...options }));
    const deadline = Date.now() + 150;

    await bench.call(stub, method, { metadata: direct("hang"), options: { deadline } });

    expect(bench.server.runs).toHaveLength(runs);
  });

  it.each([
    ["read", { service }, ["Bearer old", "Bearer new"]],
    ["read", {}, ["Bearer old"]],
    ["read", { service, idempotent: false }, ["Bearer old"]],
    ["unary", { service }, ["Bearer old"]],
  ] as const)("is repeated by the auth interceptor: %s with %o", async (method, options, expected) => {
    const tokens: string[] = [];
    const server = await RawHttp2Server.start(({ stream, headers }) => {
      tokens.push(String(headers.authorization));
      if (headers.authorization === "Bearer new") respondOk(stream);
      else respondTrailersOnly(stream, grpc.status.UNAUTHENTICATED, "expired");
    });
    const getToken = ({ isRefresh }: { isRefresh: boolean }): string => (isRefresh ? "new" : "old");
    const stub = open(authInterceptor({ getToken, ...options }), server.address);

    await bench.call(stub, method);
    stub.close();
    await server.close();

    expect(tokens).toEqual(expected);
  });
});
