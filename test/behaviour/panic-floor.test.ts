import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CountingServer, ok, unary, unavailable } from "../support/counting-server.js";
import { endings, type Hardened, Stage } from "../support/stage.js";

const stage = new Stage();
const once = callOptions({ retry: false });

async function servers(count: number): Promise<CountingServer[]> {
  return Promise.all(Array.from({ length: count }, () => stage.server({ handler: unavailable() })));
}

async function callOften({ client }: Hardened, count: number) {
  const results = [];
  for (let call = 0; call < count; call++) results.push(await unary(client, "x", once));
  return results;
}

/** When most of a target looks broken, taking it out of use would only make it worse. */
describe("every endpoint answers UNAVAILABLE", () => {
  it("takes at most one of three out of use, so that the others show when they are back", async () => {
    const all = await servers(3);
    const hardened = await stage.warm(all);

    await callOften(hardened, 60);
    const breakers = hardened.channel.endpoints().map(({ breaker }) => breaker);
    for (const server of all) server.unary = ok("back");
    const results = await callOften(hardened, 10);

    expect(breakers.filter((breaker) => breaker === "open").length).toBe(1);
    expect(hardened.events.count("breaker.state")).toBe(1);
    expect(endings(results)).toEqual({ OK: 10 });
  });

  it("takes more of them out where maxEjectionPercent allows it", async () => {
    const hardened = await stage.warm(await servers(3), { maxEjectionPercent: 70 });

    await callOften(hardened, 60);

    const breakers = hardened.channel.endpoints().map(({ breaker }) => breaker);
    expect(breakers.filter((breaker) => breaker === "open").length).toBe(2);
  });

  it("does not count endpoints that are simply not connected", async () => {
    const [down, ...up] = [await stage.proxied(), ...(await servers(2))];
    await down.proxy.refuse();
    const hardened = stage.harden([down, ...up], { reconnectBackoff: { initialMs: 5, maxMs: 5 } });
    hardened.channel.getConnectivityState(true);
    // Failed dials open the breaker of the endpoint that is down, which must not shield the two others.
    await hardened.events.first("breaker.state", { endpoint: down.address, to: "open" });

    await callOften(hardened, 30);

    const open = hardened.events.of("breaker.state", { to: "open" }).map(({ endpoint }) => endpoint);
    expect(open.filter((endpoint) => endpoint !== down.address).length).toBe(1);
  });
});
