import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CounterClient, collect, hang, unary, unavailable } from "../support/counting-server.js";
import { turns, until } from "../support/event-loop.js";
import { listenerCounts } from "../support/leak-check.js";
import { acceptOnly } from "../support/silent-server.js";
import { ending, failureOf, Stage, startUnary } from "../support/stage.js";

const stage = new Stage();
const NEVER_MS = 600_000;
const SLOW_RETRY = { retry: { backoff: { kind: "fixed" as const, initialMs: NEVER_MS, maxMs: NEVER_MS } } };

// The waits that are cancelled here would last ten minutes, so a call that settles has settled at once.
for (const means of ["call.cancel()", "an abort signal"] as const) {
  const cancelled = (client: CounterClient, idempotent = false) => {
    const controller = new AbortController();
    const { signal } = controller;
    const { call, result } = startUnary(client, callOptions({ timeoutMs: NEVER_MS, idempotent, signal }));
    const cancel = (): void => (means === "call.cancel()" ? call.cancel() : controller.abort());
    return { result, cancel, signal };
  };

  describe(`the caller cancels by ${means}`, () => {
    it("ends a wait between two attempts at once, and no attempt follows (R20)", async () => {
      const server = await stage.server({ handler: unavailable() });
      const { client, events } = stage.harden([server], SLOW_RETRY);
      const call = cancelled(client, true);
      await events.first("call.retry");

      call.cancel();
      const error = failureOf(await call.result);

      expect(error).toMatchObject({ code: status.CANCELLED, reason: "CANCELLED", origin: "local" });
      expect(error.attempts.length).toBe(1);
      expect(server.executions.Unary).toBe(1);
      expect(listenerCounts(call.signal)).toEqual({ abort: 0 });
    });

    it("ends a wait for an endpoint at once, and says that the server did not run the call (R20)", async () => {
      const silent = stage.use(await acceptOnly());
      const { client, channel } = stage.harden([silent]);
      const call = cancelled(client);
      await until(() => channel.stats().callsQueued === 1, "the call being queued");

      call.cancel();

      expect(ending(await call.result)).toBe("CANCELLED CANCELLED no");
      expect(channel.stats()).toMatchObject({ callsQueued: 0, callsInFlight: 0 });
      expect(listenerCounts(call.signal)).toEqual({ abort: 0 });
    });

    it("ends a call in flight at once and tells the server, which may have run it (R53)", async () => {
      const server = await stage.server({ handler: hang() });
      const { client, channel } = stage.harden([server]);
      const call = cancelled(client, true);
      await server.received();

      call.cancel();

      expect(ending(await call.result)).toBe("CANCELLED CANCELLED maybe");
      await until(() => server.calls[0]?.isCancelled === true, "the end of the call on the server");
      expect(channel.stats().calls).toMatchObject({ attempts: 1, retries: 0 });
      expect(channel.endpoints()[0]).toMatchObject({ breaker: "closed", isSuspect: false });
      expect(listenerCounts(call.signal)).toEqual({ abort: 0 });
    });

    it("keeps a call cancelled in the turn it began from being sent", async () => {
      const server = await stage.server();
      const { client } = stage.harden([server]);
      await unary(client, "warm");

      const call = cancelled(client);
      call.cancel();
      const result = await call.result;
      await turns(5);

      expect(ending(result)).toBe("CANCELLED CANCELLED no");
      expect(server.executions.Unary).toBe(1);
    });
  });
}

describe("the caller cancels", () => {
  it("a stream in flight, and the server hears of it (R53)", async () => {
    const server = await stage.server();
    const { client } = stage.harden([server]);
    const stream = client.bidi();
    const result = collect(stream);
    stream.write(Buffer.from("hello"));
    await new Promise((resolve) => stream.once("data", resolve));

    stream.cancel();

    expect(ending((await result).status)).toBe("CANCELLED CANCELLED yes");
    await until(() => server.calls[0]?.isCancelled === true, "the end of the stream on the server");
  });

  it("a call at once without the server running it, where bare grpc-js sends it on a warm connection", async () => {
    const server = await stage.server();
    const bare = stage.bare([server]);
    await unary(bare, "warm");

    const { call, result } = startUnary(bare);
    call.cancel();
    await result;
    await server.received(2);

    expect(server.executions.Unary).toBe(2);
  });
});
