import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { hang, unary, unavailable } from "../support/counting-server.js";
import { ending, endings, Stage } from "../support/stage.js";

const stage = new Stage();
const PICK_FIRST = {
  loadBalancing: "pick_first" as const,
  reconnectBackoff: { initialMs: 20, maxMs: 20 },
};
const once = callOptions({ retry: false, timeoutMs: 2_000 });
const idempotent = callOptions({ idempotent: true, timeoutMs: 4_000 });

describe("pick_first", () => {
  it("connects and uses the first endpoint only, while that is well", async () => {
    const [first, second] = [await stage.server(), await stage.proxied()];
    const { client } = stage.harden([first, second], PICK_FIRST);

    const results = [];
    for (let call = 0; call < 10; call++) results.push(await unary(client, "x"));

    expect(endings(results)).toEqual({ OK: 10 });
    expect([first.executions.Unary, second.proxy.connections]).toEqual([10, 0]);
  });

  it("goes to the second when the first is down, and stays there when the first comes back", async () => {
    const [first, second] = [await stage.proxied(), await stage.server()];
    await first.proxy.refuse();
    const { channel, client, events } = stage.harden([first, second], PICK_FIRST);

    const during = await unary(client, "x");
    await first.proxy.pass();
    const after = await unary(client, "x");

    expect([during, after].map(ending)).toEqual(["OK", "OK"]);
    expect(events.picks).toEqual([second.address, second.address]);
    // It is not even connected any more.
    expect(channel.endpoints()[0]).toMatchObject({ state: "IDLE", connections: 0 });
  });

  it("goes to the second when the breaker of the first is open", async () => {
    const [bad, good] = [await stage.server({ handler: unavailable() }), await stage.server()];
    const { client, events } = stage.harden([bad, good], PICK_FIRST);
    for (let call = 0; call < 5; call++) await unary(client, "x", once);
    await events.first("breaker.state", { endpoint: bad.address, to: "open" });

    const results = [await unary(client, "x", once), await unary(client, "x", once)];

    expect(endings(results)).toEqual({ OK: 2 });
    expect([bad.executions.Unary, good.executions.Unary]).toEqual([5, 2]);
  });

  it("goes to the second while the first is under suspicion", async () => {
    const [frozen, good] = [await stage.proxied(), await stage.server()];
    const { client, events } = stage.harden([frozen, good], {
      ...PICK_FIRST,
      attemptTimeoutMs: 200,
      suspicion: { checkTimeoutMs: 10_000 },
      retry: { backoff: { kind: "immediate" } },
    });
    await unary(client, "warm");
    frozen.server.unary = hang();
    await frozen.proxy.blackHole();

    const result = await unary(client, "x", idempotent);

    expect(ending(result)).toBe("OK");
    expect(events.picks.at(-1)).toBe(good.address);
  });
});
