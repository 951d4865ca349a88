import * as grpc from "@grpc/grpc-js";
import { callOptions, type FailureReport, harden } from "holdfast";
import { describe, expect, it } from "vitest";
import { ALL_CODES } from "../retry/outcomes.js";
import { A, IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { counterClient } from "../support/counter-service.js";
import { Stage } from "../support/stage.js";
import { secureServer } from "../support/tls-server.js";

const stage = new Stage();
const EVERYTHING = {
  maxAttempts: 5,
  retryableCodes: ALL_CODES.slice(1),
  backoff: { kind: "immediate" as const },
};
const idempotent = callOptions({ idempotent: true, timeoutMs: 5_000 });
const identity = (bytes: Buffer): Buffer => bytes;
const blunder = (): never => {
  throw new TypeError("x is undefined");
};

async function eager() {
  const server = await stage.server();
  return { server, ...stage.harden([server], { retry: EVERYTHING }) };
}

type Failure = grpc.ServiceError & Partial<FailureReport>;

function failed(call: (callback: grpc.requestCallback<Buffer>) => unknown): Promise<Failure> {
  return new Promise((resolve, reject) => {
    call((error) => (error === null ? reject(new Error("the call was to fail")) : resolve(error)));
  });
}

describe("E46: a mistake in the caller's own code, with every code listed and the call idempotent,", () => {
  it("in a serializer ends the call before it is sent", async () => {
    const { server, client, channel } = await eager();

    const error = await failed((done) =>
      client.makeUnaryRequest(
        "/holdfast.test.Counter/Unary",
        blunder,
        identity,
        Buffer.from("a"),
        idempotent,
        done,
      ),
    );

    expect(error).toMatchObject({ code: grpc.status.INTERNAL, processed: "no" });
    expect(error.details).toContain("x is undefined");
    expect(channel.stats().calls).toMatchObject({ attempts: 0, retries: 0 });
    expect(server.executions.Unary).toBe(0);
  });

  it("in a deserializer ends the call after one attempt", async () => {
    const { server, client } = await eager();

    const error = await failed((done) =>
      client.makeUnaryRequest(
        "/holdfast.test.Counter/Unary",
        identity,
        blunder,
        Buffer.from("a"),
        idempotent,
        done,
      ),
    );

    expect(error.code).toBe(grpc.status.INTERNAL);
    expect(error.details).toContain("x is undefined");
    expect(server.executions.Unary).toBe(1);
  });

  it("in a token callback ends the call before it is sent", async () => {
    const { server, secure } = await secureServer(stage);
    const { client } = stage.harden([server], { ...secure, retry: EVERYTHING });
    let asked = 0;
    const credentials = grpc.CallCredentials.createFromMetadataGenerator(() => {
      asked++;
      blunder();
    });

    const error = await failed((done) =>
      client.unary(Buffer.from("a"), { ...idempotent, credentials }, done),
    );

    expect(error).toMatchObject({ reason: "METADATA_INVALID", processed: "no" });
    expect(error.details).toContain("x is undefined");
    expect([asked, server.executions.Unary]).toEqual([1, 0]);
  });

  it("in a serializer over the stub's own channel ends the call, too", async () => {
    const server = await stage.server();
    const stub = harden(stage.use(counterClient(server.address)), { retry: EVERYTHING });

    const error = await failed((done) =>
      stub.makeUnaryRequest(
        "/holdfast.test.Counter/Unary",
        blunder,
        identity,
        Buffer.from("a"),
        idempotent,
        done,
      ),
    );

    expect(error.code).toBe(grpc.status.INTERNAL);
    expect(server.executions.Unary).toBe(0);
  });
});

it("E46: a TypeError as an attempt begins is told at once, and not taken for a lost connection", async () => {
  const { backoff: _quick, ...retry } = EVERYTHING;
  const bench = await readyBench({ ...IDEMPOTENT, retry });
  let begun = 0;
  bench.network.last(A).createCall = () => {
    begun++;
    return blunder();
  };

  const call = await bench.unary();
  await bench.advance(60_000);

  expect(begun).toBe(1);
  expect(call.status).toMatchObject({ code: grpc.status.INTERNAL, processed: "no" });
  expect(call.status.details).toContain("x is undefined");
  expect(bench.leftovers).toEqual(NOTHING_LEFT);
});
