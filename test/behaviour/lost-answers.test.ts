import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { ending, endings, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = {
  attemptTimeoutMs: 300,
  connectTimeoutMs: 150,
  suspicion: { checkTimeoutMs: 100 },
  retry: { backoff: { kind: "immediate" as const }, maxAttempts: 5 },
};

/** A network broken in one direction: requests arrive and are executed, answers are lost. */
describe("the answers of an endpoint are lost", () => {
  it("runs a call that is not idempotent once, and says that the server may have run it", async () => {
    const deaf = await stage.proxied();
    const { client } = await stage.warm([deaf], { ...QUICK, suspicion: { checkTimeoutMs: 5_000 } });

    await deaf.proxy.dropAnswers();
    const result = await unary(client, "x");

    expect(ending(result)).toBe("DEADLINE_EXCEEDED ATTEMPT_TIMEOUT maybe");
    expect(deaf.server.executions.Unary).toBe(1);
  });

  it("fails no idempotent call while another endpoint can be heard, and soon sends none there", async () => {
    const [deaf, up] = [await stage.proxied(), await stage.server()];
    const { client, events } = await stage.warm([deaf, up], QUICK);
    const options = callOptions({ idempotent: true, timeoutMs: 5_000 });

    await deaf.proxy.dropAnswers();
    const results = await Promise.all(Array.from({ length: 10 }, () => unary(client, "x", options)));
    await events.first("connection.dead", { endpoint: deaf.address });
    for (let call = 0; call < 10; call++) results.push(await unary(client, "x", options));

    expect(endings(results)).toEqual({ OK: 20 });
    expect(deaf.server.executions.Unary).toBe(5);
  });
});

/** A path that passes small packets only, or a peer that stops reading. */
describe("a large request is not taken by the network", () => {
  it("puts its connection in doubt without any timeout of the call, and ends with the old connection", async () => {
    const proxied = await stage.proxied();
    await proxied.proxy.stallAfterClientBytes(20_000);
    const { client, events } = await stage.warm([proxied], {
      drainMs: 50,
      suspicion: { checkTimeoutMs: 100, writeStallMs: 200 },
    });

    const result = await unary(client, "x".repeat(1_000_000));

    expect(ending(result)).toBe("UNAVAILABLE CONNECTION_LOST maybe");
    expect(events.of("connection.suspect")[0]?.cause).toContain("a write was not flushed for 200 ms");
    expect(events.of("connection.verified")).toMatchObject([{ by: "dial" }]);
    expect(proxied.server.executions.Unary).toBe(0);
  });
});
