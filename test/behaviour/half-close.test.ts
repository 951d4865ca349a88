import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { hang, unary } from "../support/counting-server.js";
import { ending, endings, reachAll, Stage } from "../support/stage.js";

const stage = new Stage();
const PICK_FIRST = {
  loadBalancing: "pick_first" as const,
  reconnectBackoff: { initialMs: 10, maxMs: 10 },
  retry: { backoff: { kind: "immediate" as const } },
};

/** A middlebox that ends its client side with FIN, in order and without GOAWAY. */
describe("a connection is half-closed towards the client", () => {
  it("moves idempotent calls in flight elsewhere, where bare grpc-js fails them", async () => {
    const [closing, up] = [await stage.proxied(), await stage.server()];
    const { client, events } = await stage.warm([closing, up]);
    const bare = stage.bare([closing]);
    await reachAll(bare, [closing.server]);
    closing.server.unary = hang();
    const options = callOptions({ idempotent: true });

    const theirs = unary(bare, "bare");
    const ours = Array.from({ length: 10 }, () => unary(client, "ours", options));
    await closing.server.received(closing.server.calls.length + 6);
    closing.proxy.halfClose();

    expect(endings(await Promise.all(ours))).toEqual({ OK: 10 });
    expect(ending(await theirs)).toBe("UNAVAILABLE");
    expect(events.of("connection.lost")).toMatchObject([{ endpoint: closing.address, callsInFlight: 5 }]);
  });

  it("does not repeat a call that is not idempotent, and says the server may have run it", async () => {
    const [closing, up] = [await stage.proxied({ handler: hang() }), await stage.server()];
    const { client } = stage.harden([closing, up], PICK_FIRST);
    const call = unary(client, "x");
    await closing.server.received();

    closing.proxy.halfClose();

    expect(ending(await call)).toBe("UNAVAILABLE CONNECTION_LOST maybe");
    expect([closing.server.executions.Unary, up.executions.Unary]).toEqual([1, 0]);
  });

  it("sends the next call over a new connection, and closes the old one", async () => {
    const closing = await stage.proxied();
    const { client, events } = stage.harden([closing], PICK_FIRST);
    await unary(client, "before");

    closing.proxy.halfClose();
    await events.first("connection.lost");
    const result = await unary(client, "after");

    expect(ending(result)).toBe("OK");
    expect(closing.proxy.connections).toBe(2);
    expect(closing.proxy.open).toBe(1);
  });
});
