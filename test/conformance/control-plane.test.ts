import { CallCredentials, status } from "@grpc/grpc-js";
import { callOptions, harden } from "holdfast";
import { describe, expect, it } from "vitest";
import { ChannelBench } from "../support/channel-bench.js";
import { counterClient, unary } from "../support/counting-server.js";
import { failureOf, Stage } from "../support/stage.js";
import { secureServer } from "../support/tls-server.js";

const stage = new Stage();

/** OK, and the codes that belong to applications. */
const UNFIT = [
  status.OK,
  status.INVALID_ARGUMENT,
  status.NOT_FOUND,
  status.ALREADY_EXISTS,
  status.FAILED_PRECONDITION,
  status.ABORTED,
  status.OUT_OF_RANGE,
  status.DATA_LOSS,
];

function failingWith(code: number): CallCredentials {
  return CallCredentials.createFromMetadataGenerator((_context, callback) => {
    callback(Object.assign(new Error("no token today"), { code }));
  });
}

describe("a token callback that fails", () => {
  it.each(UNFIT)(
    "with code %d, which is no code of a token server's, is INTERNAL and never sent (R164)",
    async (code) => {
      const { server, secure } = await secureServer(stage);
      // Listed, so that only a rewrite that comes first keeps them from being retried.
      const retryableCodes = [code, status.UNAVAILABLE].filter((listed) => listed !== status.OK);
      const { client } = stage.harden([server], { ...secure, retry: { retryableCodes } });

      const error = failureOf(
        await unary(client, "x", { ...callOptions({ idempotent: true }), credentials: failingWith(code) }),
      );

      expect(error).toMatchObject({ code: status.INTERNAL, processed: "no", origin: "local" });
      expect(error.details).toContain(status[code]);
      expect(error.details).toContain("no token today");
      expect(error.attempts).toHaveLength(1);
      expect(server.executions.Unary).toBe(0);
    },
  );

  it.each(UNFIT)("with code %d is INTERNAL over a stub's own channel, too (R164)", async (code) => {
    const server = await stage.server();
    const stub = harden(stage.use(counterClient(server.address)), {
      retry: { retryableCodes: ["INTERNAL"] },
    });

    const error = failureOf(
      await unary(stub, "x", { ...callOptions({ idempotent: true }), credentials: failingWith(code) }),
    );

    expect(error).toMatchObject({ code: status.INTERNAL, processed: "no", origin: "local" });
    expect(error.attempts).toHaveLength(1);
    expect(server.executions.Unary).toBe(0);
  });

  it("with a code of its own keeps it, and is not asked again and again (R164)", async () => {
    const { server, secure } = await secureServer(stage);
    const { client } = stage.harden([server], secure);

    const error = failureOf(
      await unary(client, "x", {
        ...callOptions({ idempotent: true }),
        credentials: failingWith(status.UNAVAILABLE),
      }),
    );

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "METADATA_INVALID", processed: "no" });
    expect(error.attempts).toHaveLength(1);
    expect(server.executions.Unary).toBe(0);
  });
});

it.each(UNFIT)(
  "a look-up that fails with code %d is UNAVAILABLE, in the resolver's words (R164)",
  async (code) => {
    const lookup = () => Promise.reject(Object.assign(new Error("no such zone"), { code }));
    const bench = new ChannelBench({ retry: false }, { target: "dns:///kv.example:1", lookup });

    const call = await bench.unary();

    expect(call.status).toMatchObject({
      code: status.UNAVAILABLE,
      reason: "DISCOVERY_FAILED",
      processed: "no",
    });
    expect(call.status.details).toContain("no such zone");
    await bench.channel.close();
  },
);
