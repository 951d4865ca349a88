import { AsyncLocalStorage } from "node:async_hooks";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CounterClient, hang, ok, unary, unavailable } from "../support/counting-server.js";
import { until } from "../support/event-loop.js";
import { acceptOnly } from "../support/silent-server.js";
import { Stage, startUnary } from "../support/stage.js";

const stage = new Stage();
const requestId = new AsyncLocalStorage<string>();
const idempotent = callOptions({ idempotent: true, timeoutMs: 5_000 });

/** The request id that the callback of a call sees which is made under `id`. */
function seenBy(id: string, client: CounterClient, options = idempotent): Promise<string | undefined> {
  return requestId.run(
    id,
    () =>
      new Promise((resolve) => {
        client.unary(Buffer.from(id), options, () => resolve(requestId.getStore()));
      }),
  );
}

describe("a callback runs in the async context of its caller", () => {
  it("when the call had to wait for an endpoint that others brought up", async () => {
    const server = await stage.server();
    const { client } = stage.harden([server]);

    const seen = await Promise.all(["a", "b", "c"].map((id) => seenBy(id, client)));

    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("when the call was retried by a timer", async () => {
    const server = await stage.server();
    server.script([unavailable(), unavailable(), ok("a"), ok("b")]);
    const { client } = stage.harden([server], { retry: { backoff: { initialMs: 5 } } });

    const seen = await Promise.all(["a", "b"].map((id) => seenBy(id, client)));

    expect(seen).toEqual(["a", "b"]);
  });

  it("when the call waited for another one to end", async () => {
    const server = await stage.server();
    const { client } = await stage.warm([server], { maxStreamsPerConnection: 1 });

    const seen = await Promise.all(["a", "b", "c"].map((id) => seenBy(id, client)));

    expect(seen).toEqual(["a", "b", "c"]);
  });

  it("when the call ended with its connection, or with the channel", async () => {
    const [proxied, silent] = [await stage.proxied({ handler: hang() }), stage.use(await acceptOnly())];
    const [lost, queued] = [stage.harden([proxied]), stage.harden([silent])];
    const inFlight = ["a", "b"].map((id) => seenBy(id, lost.client, callOptions({})));
    const waiting = ["c", "d"].map((id) => seenBy(id, queued.client));
    await proxied.server.received(2);
    await until(() => queued.channel.stats().callsQueued === 2, "two queued calls");

    requestId.run("somebody else", () => {
      proxied.proxy.resetAll();
      queued.channel.destroy();
    });

    expect(await Promise.all([...inFlight, ...waiting])).toEqual(["a", "b", "c", "d"]);
  });

  it("and the context of the first call is not kept by the connection it opened", async () => {
    const server = await stage.server();
    const { client } = stage.harden([server]);

    const first = await seenBy("first", client);
    const { result } = startUnary(client, idempotent);
    await result;
    const outside = await new Promise((resolve) => {
      client.unary(Buffer.from("x"), idempotent, () => resolve(requestId.getStore()));
    });
    await unary(client, "x");

    expect([first, outside]).toEqual(["first", undefined]);
  });
});
