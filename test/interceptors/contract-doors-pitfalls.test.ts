import * as grpc from "@grpc/grpc-js";
import { callOptions, harden, retryInterceptor } from "holdfast";
import { describe, expect, it } from "vitest";
import { flavours } from "../fixtures/stubs/flavours.js";
import { callToEnd } from "../support/contract-calls.js";
import { describeDoors, doors, type Entrance, furtherDoors, QUICK } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";
import { unavailable } from "../support/door-probes/probe.js";

const tsProto = flavours.filter(({ name }) => name === "ts-proto");
const passing: grpc.Interceptor = (options, nextCall) => new grpc.InterceptingCall(nextCall(options));
const replacing: grpc.Interceptor = (options, nextCall) =>
  new grpc.InterceptingCall(nextCall({ ...options, deadline: Date.now() + 10_000 }));

describeDoors(
  (entrance) => {
    it.each([
      ["keeps what callOptions says below an interceptor that leaves the deadline alone", passing, 2],
      ["loses what callOptions says below an interceptor that replaces the deadline", replacing, 1],
    ])("%s", async (_title, interceptor, attempts) => {
      const args = { metadata: direct("fail-first"), options: callOptions({ idempotent: true }) };

      await entrance.call("unary", args, { client: { interceptors: [interceptor] } });

      expect(entrance.runs).toHaveLength(attempts);
    });
  },
  [...doors, ...furtherDoors].filter(({ id }) => id !== "plainPromises"),
  tsProto,
);

describeDoors(
  (entrance) => {
    it("makes a call with interceptors of its own without those of the client, ours among them", async () => {
      const metadata = direct("fail-first", { idempotentRequest: true });

      const end = await entrance.call("unary", { metadata, options: { interceptors: [passing] } });

      expect(end.error).toMatchObject({ code: grpc.status.UNAVAILABLE });
      expect(end.error).not.toHaveProperty("reason");
      expect(entrance.runs).toHaveLength(1);
    });
  },
  furtherDoors.filter(({ id }) => id === "interceptors"),
  tsProto,
);

describeDoors(
  (entrance) => {
    describe("a retryPolicy of three attempts in the stub's own service config", () => {
      it.each([
        ["is multiplied by harden without credentials: nine attempts (R166, G23)", 1, 9],
        ["does nothing when the stub's own retries are off: three attempts (R166, G23)", 0, 3],
      ])("%s", async (_title, enableRetries, expected) => {
        const { plain, attempts } = await withRetryPolicy(entrance, { "grpc.enable_retries": enableRetries });
        const stub = harden(plain, QUICK);

        await callToEnd(entrance.flavour, stub, "unary", { options: callOptions({ idempotent: true }) });
        await stub.getChannel().close({ drainMs: 0 });

        expect(attempts()).toBe(expected);
      });

      it("does nothing under harden with credentials: three attempts (R166, G23)", async () => {
        const { plain, target, attempts } = await withRetryPolicy(entrance);
        const stub = harden(plain, { ...QUICK, target, insecure: true });

        await callToEnd(entrance.flavour, stub, "unary", { options: callOptions({ idempotent: true }) });
        await stub.getChannel().close({ drainMs: 0 });
        plain.close();

        expect(attempts()).toBe(3);
      });

      it("is left to itself by the retry interceptor: three attempts (R166, G23)", async () => {
        const retry = retryInterceptor({ backoff: { kind: "immediate" }, idempotent: true });
        const { plain, attempts } = await withRetryPolicy(entrance, { interceptors: [retry] });

        await callToEnd(entrance.flavour, plain, "unary");
        plain.close();

        expect(attempts()).toBe(3);
      });
    });
  },
  doors.filter(({ id }) => id === "harden"),
  tsProto,
);

/** A plain stub of a server that is always down. */
async function withRetryPolicy(entrance: Entrance, options: grpc.ClientOptions = {}) {
  const server = await unavailable(entrance);
  const retryPolicy = {
    maxAttempts: 3,
    initialBackoff: "0.001s",
    maxBackoff: "0.001s",
    backoffMultiplier: 1,
    retryableStatusCodes: ["UNAVAILABLE"],
  };
  const plain = new entrance.flavour.Client(server.address, grpc.credentials.createInsecure(), {
    "grpc.use_local_subchannel_pool": 1,
    "grpc.service_config": JSON.stringify({ methodConfig: [{ name: [{}], retryPolicy }] }),
    ...options,
  });
  return { plain, target: `static:///${server.address}`, attempts: () => server.streamsStarted };
}
