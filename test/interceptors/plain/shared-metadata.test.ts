import * as grpc from "@grpc/grpc-js";
import {
  authInterceptor,
  concurrencyLimitInterceptor,
  metadataInterceptor,
  retryInterceptor,
} from "holdfast";
import { expect, it } from "vitest";
import { CounterClient } from "../../support/counter-service.js";
import { Stage } from "../../support/stage.js";

const stage = new Stage();
const later = async <T>(value: T): Promise<T> => value;

it.each<[string, grpc.Interceptor]>([
  ["a concurrency limit", concurrencyLimitInterceptor({ maxConcurrentCalls: 1 })],
  ["a token that is fetched", authInterceptor({ getToken: () => later("token") })],
  ["metadata that is fetched", metadataInterceptor(() => later(new grpc.Metadata()))],
  ["retry", retryInterceptor()],
])(
  "%s sends each call with the metadata of its own moment, though all calls share one object",
  async (_what, interceptor) => {
    const server = await stage.server();
    const seen: string[] = [];
    server.unary = (call, callback) => {
      seen.push(`${call.request}:${call.metadata.get("x-id")}`);
      callback(null, call.request);
    };
    const client = new CounterClient(server.address, grpc.credentials.createInsecure(), {
      interceptors: [interceptor],
    });
    const metadata = new grpc.Metadata();

    await Promise.all(
      ["a", "b", "c"].map((id) => {
        metadata.set("x-id", id);
        return new Promise((resolve) => client.unary(Buffer.from(id), metadata, resolve));
      }),
    );
    client.close();

    expect(seen.sort()).toEqual(["a:a", "b:b", "c:c"]);
  },
);
