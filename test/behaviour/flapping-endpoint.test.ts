import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CallResult, unary } from "../support/counting-server.js";
import { endings, type Hardened, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = {
  reconnectBackoff: { initialMs: 10, maxMs: 20 },
  retry: { backoff: { initialMs: 10, maxMs: 40 }, maxAttempts: 5 },
};

/** Idempotent calls, four at a time, until `isOver`. */
async function load({ client }: Hardened, isOver: () => boolean): Promise<CallResult[]> {
  const results: CallResult[] = [];
  const options = callOptions({ idempotent: true, timeoutMs: 5_000 });
  const caller = async (): Promise<void> => {
    while (!isOver()) results.push(await unary(client, "x", options));
  };
  await Promise.all([caller(), caller(), caller(), caller()]);
  return results;
}

describe("one of two endpoints is in a crash loop", () => {
  it("fails no idempotent call", async () => {
    const [flapping, up] = [await stage.proxied(), await stage.server()];
    const hardened = await stage.warm([flapping, up], QUICK);
    let isOver = false;

    const loaded = load(hardened, () => isOver);
    flapping.proxy.flap(50);
    await flapping.proxy.flapped(10);
    isOver = true;
    const results = await loaded;

    expect(Object.keys(endings(results))).toEqual(["OK"]);
    expect(hardened.events.count("connection.lost", { endpoint: flapping.address })).toBeGreaterThan(1);
  });
});

describe("the connections of every endpoint are reset again and again", () => {
  it("fails no idempotent call", async () => {
    const [first, second] = [await stage.proxied(), await stage.proxied()];
    const hardened = await stage.warm([first, second], QUICK);
    let isOver = false;

    const loaded = load(hardened, () => isOver);
    for (let round = 2; round <= 5; round++) {
      for (const { proxy, address } of [first, second]) {
        proxy.resetAll();
        await hardened.events.nth(round, "endpoint.state", { endpoint: address, to: "READY" });
      }
    }
    isOver = true;
    const results = await loaded;

    expect(Object.keys(endings(results))).toEqual(["OK"]);
    expect(hardened.events.count("connection.lost")).toBe(8);
  });
});
