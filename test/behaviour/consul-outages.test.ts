import { callOptions, type DiscoveryOptions } from "holdfast";
import { describe, expect, it, onTestFinished } from "vitest";
import { type ConsulNode, startConsulCluster } from "../../scripts/consul-cluster.mjs";
import { consulOfTest, mustSkipConsul, whyNoConsul } from "../support/consul-agent.js";
import { ConsulApi, ttlCheck } from "../support/consul-api.js";
import { ConsulProxy } from "../support/consul-proxy.js";
import { type CountingServer, unary } from "../support/counting-server.js";
import { turns, until } from "../support/event-loop.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { PacedLoad } from "../support/paced-load.js";
import { endings, Stage } from "../support/stage.js";

const stage = new Stage();
const SERVICE = "counter";
const SECOND_MS = 1_000;
/** What the pause between two questions may grow to, and a second more. */
const MAX_BACKOFF_S = 37;
const CALL = callOptions({ timeoutMs: 60_000 });

function register(api: ConsulApi, ...servers: readonly CountingServer[]): Promise<unknown> {
  return Promise.all(
    servers.map(({ port }) => {
      const id = `${SERVICE}-${port}`;
      const Check = ttlCheck(`service:${id}`);
      return api.register({ Name: SERVICE, ID: id, Address: "127.0.0.1", Port: port, Check });
    }),
  );
}

/** A client that has found the three servers that are registered at this Consul. */
async function following(consul: ConsulNode, discovery: DiscoveryOptions, clock?: LoopbackClock) {
  const api = new ConsulApi(consul);
  const proxy = stage.use(await ConsulProxy.start(consul.httpAddress));
  const servers = [await stage.server(), await stage.server(), await stage.server()];
  await register(api, ...servers);
  const target = `consul://${proxy.address}/${SERVICE}`;
  const hardened = stage.harden(target, { discovery }, clock === undefined ? {} : { clock });
  hardened.channel.getConnectivityState(true);
  await hardened.events.ready(...servers.map(({ address }) => address));
  const source = () => hardened.channel.stats().discovery[0];
  return { api, proxy, servers, source, ...hardened };
}

/** On a clock that the test moves. */
async function followingByHand(consul: ConsulNode, discovery: DiscoveryOptions = {}) {
  const clock = new LoopbackClock();
  const found = await following(consul, discovery, clock);
  await until(() => found.proxy.unansweredSince(0) === 0, "the answer that is on its way");
  // The question that waits for a change is the one that the outage meets.
  await clock.advance(SECOND_MS);
  await until(() => found.proxy.questions.length === 2, "a question that waits for a change");
  /** Lets seconds go by, with two calls in each, up to so many, or until it has come true. */
  const live = async (seconds: number, isOver = () => false) => {
    const calls = [];
    for (let second = 0; second < seconds && !isOver(); second++) {
      calls.push(await unary(found.client, "x", CALL), await unary(found.client, "x", CALL));
      await clock.advance(SECOND_MS);
      // What is on its way arrives.
      await turns(20);
    }
    return Object.keys(endings(calls));
  };
  const answers = () => found.source()?.answers ?? 0;
  return { clock, live, answers, ...found };
}

describe.skipIf(mustSkipConsul)(`Consul is away${whyNoConsul}`, () => {
  it("and comes back with nothing: calls go on with the last endpoints, and it is followed again once it knows some", async () => {
    const { agent } = await consulOfTest();
    const { live, answers, proxy, servers, source, api, events } = await followingByHand(agent);

    await agent.kill();
    const askedBefore = proxy.questions.length;
    const callsWhileDead = await live(60);
    const whileDead = source();
    const asked = proxy.questions.length - askedBefore;
    agent.restart();
    await agent.waitReady();
    const before = answers();
    const callsAfterwards = await live(MAX_BACKOFF_S, () => answers() > before);
    const whileEmpty = source();
    const added = await stage.server();
    await register(api, ...servers, added);
    const callsWhileFilling = await live(5, () => source()?.endpoints === 4);
    await events.ready(added.address);
    const callsInTheEnd = await live(4);

    const calls = [callsWhileDead, callsAfterwards, callsWhileFilling, callsInTheEnd];
    expect(calls.flat().filter((word) => word !== "OK")).toEqual([]);
    expect(whileDead).toMatchObject({ endpoints: 3, staleSince: expect.any(String), held: null });
    expect(asked).toBeGreaterThan(2);
    expect(asked).toBeLessThanOrEqual(60);
    expect(whileEmpty).toMatchObject({
      endpoints: 3,
      staleSince: null,
      held: { why: "empty", endpoints: 3 },
    });
    expect(source()).toMatchObject({ endpoints: 4, staleSince: null, held: null });
    expect(added.executions.Unary).toBeGreaterThan(0);
  });

  it("frozen for 30 s: what is stale shows, calls go on, and what changed meanwhile is used afterwards", async () => {
    const { agent } = await consulOfTest();
    const discovery = { consul: { waitMs: 5_000 }, lookupTimeoutMs: 2_000 };
    const { live, proxy, source, api, events } = await followingByHand(agent, discovery);

    agent.freeze();
    const askedBefore = proxy.questions.length;
    const calls = await live(30);
    const whileFrozen = source();
    const asked = proxy.questions.length - askedBefore;
    agent.thaw();
    const added = await stage.server();
    await register(api, added);
    const callsAfterwards = await live(MAX_BACKOFF_S, () => source()?.endpoints === 4);
    await events.ready(added.address);

    expect([calls, callsAfterwards]).toEqual([["OK"], ["OK"]]);
    expect(whileFrozen).toMatchObject({ endpoints: 3, staleSince: expect.any(String) });
    expect(whileFrozen?.lastError?.text).toContain("Consul gave no whole answer within");
    expect(asked).toBeGreaterThan(1);
    expect(asked).toBeLessThanOrEqual(30);
    expect(source()).toMatchObject({ endpoints: 4, staleSince: null });
  });

  it("because its leader died: calls go on, and changes are followed again under the next leader", async () => {
    const cluster = await startConsulCluster();
    onTestFinished(() => cluster.stop());
    const leader = await cluster.waitForLeader();
    const follower = cluster.nodes.find((node) => node !== leader) as ConsulNode;
    const { client, proxy, servers, source, api, events } = await following(follower, {});
    const load = stage.use(new PacedLoad(client, {}, { everyMs: 10 }));
    await load.more(10);

    await leader.kill();
    const askedBefore = proxy.questions.length;
    const killedAt = performance.now();
    await cluster.waitForLeader();
    await follower.waitReady();
    const asked = proxy.questions.length - askedBefore;
    const seconds = (performance.now() - killedAt) / SECOND_MS;
    const added = await stage.server();
    await register(api, added);
    await events.ready(added.address);
    await added.received(5);
    const results = await load.stop();

    expect(endings(results)).toEqual({ OK: results.length });
    expect(asked).toBeLessThanOrEqual(seconds + 1);
    expect(source()).toMatchObject({ endpoints: 4, staleSince: null });
    expect(servers.every(({ executions }) => executions.Unary > 0)).toBe(true);
  }, 30_000);
});
