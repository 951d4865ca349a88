import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { PacedLoad } from "../support/paced-load.js";
import { endings, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = {
  reconnectBackoff: { initialMs: 50, maxMs: 100 },
  retry: { backoff: { initialMs: 10, maxMs: 40 } },
};
/** As quick as ours to come back. */
const BARE_QUICK = { "grpc.initial_reconnect_backoff_ms": 100, "grpc.max_reconnect_backoff_ms": 100 };

describe("one of two endpoints goes up and down every 200 ms at 100 calls per second", () => {
  it("costs no idempotent call, where bare grpc-js loses those that run on it", async () => {
    const [flapping, up] = [await stage.proxied(), await stage.server()];
    flapping.proxy.delayMs(15);
    const { client, events } = await stage.warm([flapping, up], QUICK);
    const bare = stage.bare([flapping, up], undefined, BARE_QUICK);
    const ours = stage.use(new PacedLoad(client, callOptions({ idempotent: true, timeoutMs: 5_000 })));
    const theirs = stage.use(new PacedLoad(bare, {}));
    await theirs.more(20);

    flapping.proxy.flap(200);
    await flapping.proxy.flapped(10);
    const [results, bareResults] = [await ours.stop(), await theirs.stop()];

    const endpoint = flapping.address;
    expect(endings(results)).toEqual({ OK: ours.count });
    expect(endings(bareResults)["UNAVAILABLE"]).toBeGreaterThan(0);
    // Once per outage that found it connected, not once per call.
    expect(events.count("connection.lost", { endpoint })).toBeLessThanOrEqual(5);
    expect(flapping.server.executions.Unary).toBeGreaterThan(0);
  });
});
