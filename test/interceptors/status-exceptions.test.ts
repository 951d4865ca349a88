import * as grpc from "@grpc/grpc-js";
import { isReason, ResilienceError } from "holdfast";
import { expect, it } from "vitest";
import { CounterClient } from "../support/counter-service.js";
import { fail } from "../support/counting-server.js";
import { Stage } from "../support/stage.js";

// Where grpc-js's Client makes the status itself, above the channel, Holdfast's report cannot be on it. These are all
// the places; the documentation lists them.

const stage = new Stage();
const identity = (bytes: Buffer): Buffer => bytes;
const PATH = "/holdfast.test.Counter/Unary";

async function hardened() {
  const server = await stage.server();
  return { server, ...stage.harden([server]) };
}

function failureOf(call: (callback: grpc.requestCallback<Buffer>) => unknown): Promise<grpc.ServiceError> {
  return new Promise((resolve, reject) => {
    call((error) => (error === null ? reject(new Error("the call was to fail")) : resolve(error)));
  });
}

it("has no report on an answer that the stub cannot parse", async () => {
  const { server, client, channel } = await hardened();
  const broken = (): Buffer => {
    throw new Error("no such field");
  };

  const error = await failureOf((callback) =>
    client.makeUnaryRequest(PATH, identity, broken, Buffer.from("a"), callback),
  );

  expect(error).toMatchObject({
    code: grpc.status.INTERNAL,
    details: "Response message parsing error: no such field",
  });
  expect(error instanceof ResilienceError).toBe(false);
  expect(server.executions.Unary).toBe(1);
  expect(channel.stats().callsInFlight).toBe(0);
});

it("has no report on an OK without the answer it must have", async () => {
  const { server, client } = await hardened();
  server.serverStream = (call) => call.end();

  const error = await failureOf((callback) =>
    client.makeUnaryRequest(
      "/holdfast.test.Counter/ServerStream",
      identity,
      identity,
      Buffer.from(""),
      {},
      callback,
    ),
  );

  expect(error.code).toBe(grpc.status.UNIMPLEMENTED);
  expect(isReason(error, "REMOTE")).toBe(false);
});

it("has no report on a status that an interceptor rebuilds", async () => {
  const { server, channel } = await hardened();
  server.unary = fail(grpc.status.NOT_FOUND, "nobody");
  const rebuilding: grpc.Interceptor = (options, nextCall) =>
    new grpc.InterceptingCall(nextCall(options), {
      start(metadata, _listener, next) {
        next(metadata, {
          onReceiveStatus({ code, details, metadata: trailers }, pass) {
            pass({ code, details, metadata: trailers });
          },
        });
      },
    });
  const options = { channelOverride: channel, interceptors: [rebuilding] };
  const client = new CounterClient("", grpc.credentials.createInsecure(), options);

  const error = await failureOf((callback) => client.unary(Buffer.from("a"), callback));

  expect(error).toMatchObject({ code: grpc.status.NOT_FOUND, details: "nobody" });
  expect(error instanceof ResilienceError).toBe(false);
});

it("says of a request that cannot be serialised that it was never sent", async () => {
  const { server, client } = await hardened();
  const broken = (): Buffer => {
    throw new Error("not a message");
  };

  const error = await failureOf((callback) =>
    client.makeUnaryRequest(PATH, broken, identity, Buffer.from("a"), callback),
  );

  expect(error).toMatchObject({ code: grpc.status.INTERNAL, processed: "no", origin: "local" });
  expect(error.details).toContain("Request message serialization failure: not a message");
  expect(server.executions.Unary).toBe(0);
});
