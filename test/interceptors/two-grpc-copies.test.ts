import * as grpc from "@grpc/grpc-js";
import { type ChannelOptions, callOptions, createChannel, harden, isReason } from "holdfast";
import { expect, it } from "vitest";
import { configErrorOf } from "../support/config-error.js";
import { counterService } from "../support/counter-service.js";
import { fail, ok, unavailable } from "../support/counting-server.js";
import { secondGrpcCopy } from "../support/second-grpc-copy.js";
import { Stage } from "../support/stage.js";

const stage = new Stage();
const other = secondGrpcCopy();
const OtherClient = other.makeGenericClientConstructor(counterService, "Counter");

type Unary = (request: Buffer, options: grpc.CallOptions, callback: grpc.requestCallback<Buffer>) => unknown;

async function hardenedStubOfOtherCopy() {
  const server = await stage.server();
  const plain = stage.use(new OtherClient(server.address, other.credentials.createInsecure()));
  const retry = { backoff: { kind: "immediate" }, throttle: false } as const;
  const stub = harden(plain as unknown as grpc.Client, { insecure: true, retry });
  stage.use({ close: () => stub.getChannel().close() });
  const call = (options: grpc.CallOptions = {}): Promise<[grpc.ServiceError | null, Buffer | undefined]> => {
    const unary = Reflect.get(stub, "unary") as Unary;
    return new Promise((resolve) =>
      unary.call(stub, Buffer.from("a"), options, (error, answer) => resolve([error, answer])),
    );
  };
  return { server, call };
}

it("serves a stub of another copy of grpc-js, retries and settings included", async () => {
  const { server, call } = await hardenedStubOfOtherCopy();
  server.script([unavailable(), ok("second")]);

  const [error, answer] = await call(callOptions({ idempotent: true }));

  expect(error).toBeNull();
  expect(String(answer)).toBe("second");
  expect(grpc.Client).not.toBe(other.Client);
});

it("reports on the errors of a stub of another copy as on its own", async () => {
  const { server, call } = await hardenedStubOfOtherCopy();
  server.unary = fail(grpc.status.NOT_FOUND, "nobody");

  const [error] = await call();

  expect(error).toMatchObject({ code: grpc.status.NOT_FOUND, details: "nobody" });
  expect(isReason(error, "REMOTE")).toBe(true);
});

it("refuses credentials of another copy of grpc-js, which would fail on the first call", () => {
  const credentials = other.credentials.createSsl() as unknown as NonNullable<ChannelOptions["credentials"]>;

  const error = configErrorOf(() => createChannel("static:///127.0.0.1:9", { credentials }));

  expect(error.details).toContain("the same copy of @grpc/grpc-js");
});
