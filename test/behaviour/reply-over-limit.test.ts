import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { collect, unary } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { ending, failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const TWELVE = "x".repeat(12);
const THIRTEEN = "x".repeat(13);
const METHOD = "holdfast.test.Counter/Unary";

describe("a message over a limit, on real sockets,", () => {
  it.each([
    ["the channel's", { maxSendMessageBytes: 12 }, {}],
    ["the method's", { methods: { [METHOD]: { maxSendMessageBytes: 12 } } }, {}],
    ["the call's", {}, { maxSendMessageBytes: 12 }],
  ])(
    "is refused unsent as a request by %s, and 12 bytes pass (D21, B09)",
    async (_whose, options, settings) => {
      const server = await stage.server();
      const { client } = await stage.warm([server], options);
      const limited = callOptions({ ...settings, idempotent: true, timeoutMs: 5_000 });

      expect(ending(await unary(client, TWELVE, limited))).toBe("OK");
      expect(ending(await unary(client, THIRTEEN, limited))).toBe("RESOURCE_EXHAUSTED MESSAGE_TOO_LARGE no");
      expect(server.executions.Unary).toBe(1);
    },
  );

  it.each([
    ["the channel's", { maxReceiveMessageBytes: 12 }, {}],
    ["the method's", { methods: { [METHOD]: { maxReceiveMessageBytes: 12 } } }, {}],
    ["the call's", {}, { maxReceiveMessageBytes: 12 }],
  ])(
    "ends a call as a reply by %s, once, and 12 bytes pass (B09, R162)",
    async (_whose, options, settings) => {
      const server = await stage.server();
      const retry = {
        retryableCodes: ["RESOURCE_EXHAUSTED" as const],
        backoff: { kind: "immediate" as const },
      };
      const { client, channel } = await stage.warm([server], { ...options, retry });
      const limited = callOptions({ ...settings, idempotent: true, timeoutMs: 5_000 });

      expect(ending(await unary(client, TWELVE, limited))).toBe("OK");
      const error = failureOf(await unary(client, THIRTEEN, limited));

      expect(error).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: "MESSAGE_TOO_LARGE" });
      expect(error.processed).not.toBe("no");
      expect(server.executions.Unary).toBe(2);
      expect(channel.endpoints()).toMatchObject([{ breaker: "closed", state: "READY" }]);
    },
  );

  it("is not hedged when it was a reply: each attempt would bring it again (R34)", async () => {
    const server = await stage.server();
    const { client } = await stage.warm([server], {
      maxReceiveMessageBytes: 12,
      methods: { "holdfast.test.Counter": { idempotent: true } },
      hedging: { maxAttempts: 3, delayMs: 30_000, nonFatalCodes: ["RESOURCE_EXHAUSTED"] },
    });

    const error = failureOf(await unary(client, THIRTEEN));

    expect(error.reason).toBe("MESSAGE_TOO_LARGE");
    expect(server.executions.Unary).toBe(1);
  });

  it("ends a stream after those before it, and the server hears of it", async () => {
    const server = await stage.server();
    let isCancelled = false;
    server.serverStream = (call) => {
      call.on("cancelled", () => (isCancelled = true));
      call.write(Buffer.from(TWELVE));
      call.write(Buffer.from(THIRTEEN));
    };
    const { client } = await stage.warm([server]);

    const stream = client.serverStream(Buffer.from("x"), callOptions({ maxReceiveMessageBytes: 12 }));
    const { texts, status: end } = await collect(stream);

    expect(texts).toEqual([TWELVE]);
    expect(end).toMatchObject({
      code: status.RESOURCE_EXHAUSTED,
      reason: "MESSAGE_TOO_LARGE",
      processed: "yes",
    });
    await until(() => isCancelled, "the cancel at the server");
  });
});
