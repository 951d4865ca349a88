import { describe, expect, it, onTestFinished } from "vitest";
import { datacentresOf } from "../../../src/discovery/consul/consul-target.js";
import { Discovery } from "../../../src/discovery/discovery.js";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { systemLookup } from "../../../src/discovery/index.js";
import { consulOfTest, mustSkipConsul, whyNoConsul } from "../../support/consul-agent.js";
import { until } from "../../support/event-loop.js";
import { FakeConsul } from "../../support/fake-consul.js";
import { NO_LEADER } from "../../support/fake-consul-faults.js";
import { ManualClock } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import { noChannel } from "../no-channel.js";
import { AwaitingListener, consulTarget } from "./started-consul.js";

const W1 = { id: "w1", address: "10.0.0.1", port: 80 };
const W2 = { id: "w2", address: "10.0.0.2", port: 80 };

/** The service `web` of this Consul in its own datacentre, and behind it in dc2. */
function inBoth(address: string, clock: ManualClock) {
  const targets = datacentresOf(consulTarget(`consul://${address}/web?failover=dc2`));
  const deps = { clock, random: fixedRandom(0.5), lookup: systemLookup, env: {}, openChannel: noChannel };
  const discovery = new Discovery(targets, deps, discoveryOptionsSchema.parse({}));
  onTestFinished(() => discovery.close());
  const listener = new AwaitingListener();
  const places = () => listener.newest.map(({ address: at, priority = 0 }) => `${at} ${priority}`);
  return { discovery, listener, places };
}

describe("failover datacentres", () => {
  it("come behind the first one, by priority", async () => {
    const fake = await FakeConsul.start(new ManualClock());
    fake.set("web", [W1]);
    fake.set("web", [W2], "dc2");
    const { discovery, listener, places } = inBoth(`127.0.0.1:${fake.port}`, new ManualClock());

    discovery.start(listener);
    await until(() => listener.newest.length === 2, "both datacentres");

    expect(places()).toEqual(["10.0.0.1:80 0", "10.0.0.2:80 1"]);
  });

  it.each([
    ["first", "dc1", "10.0.0.2:80 0"],
    ["second", "dc2", "10.0.0.1:80 0"],
  ])("go on when the %s cannot be asked", async (_which, broken, left) => {
    const fake = await FakeConsul.start(new ManualClock());
    fake.set("web", [W1]);
    fake.set("web", [W2], "dc2");
    fake.failAlways(NO_LEADER, broken);
    const { discovery, listener, places } = inBoth(`127.0.0.1:${fake.port}`, new ManualClock());

    discovery.start(listener);
    await listener.heard(2);

    expect(places()).toEqual([left]);
    expect(listener.messages[0]).toContain("No cluster leader");
    expect(discovery.stats().map(({ failures, answers }) => failures + answers)).toEqual([1, 1]);
  });

  it("keep what the first one gave when it fails later", async () => {
    const clock = new ManualClock();
    const fake = await FakeConsul.start(new ManualClock());
    fake.set("web", [W1]);
    fake.set("web", [W2], "dc2");
    const { discovery, listener, places } = inBoth(`127.0.0.1:${fake.port}`, clock);
    discovery.start(listener);
    await until(() => listener.newest.length === 2, "both datacentres");

    fake.failAlways(NO_LEADER);
    await clock.advance(1_000);
    await until(() => listener.errors.length === 1, "the failure");

    expect(places()).toEqual(["10.0.0.1:80 0", "10.0.0.2:80 1"]);
  });

  it.skipIf(mustSkipConsul)(
    `are asked through the agent of the first, as real ones${whyNoConsul}`,
    async () => {
      const first = await consulOfTest();
      const config = {
        datacenter: "dc2",
        retry_join_wan: [first.agent.wanAddress],
        retry_interval_wan: "200ms",
      };
      const second = await consulOfTest({ config });
      await first.api.register({ Name: "web", Address: "10.0.0.1", Port: 80 });
      await second.api.register({ Name: "web", Address: "10.0.0.2", Port: 80 });
      const isJoined = async () =>
        (await first.api.request("GET", "/v1/health/service/web?dc=dc2")).status === 200;
      await until(isJoined, "the way to dc2");
      const { discovery, listener, places } = inBoth(first.agent.httpAddress, new ManualClock());

      discovery.start(listener);
      await until(() => listener.newest.length === 2, "both datacentres");

      expect(places()).toEqual(["10.0.0.1:80 0", "10.0.0.2:80 1"]);
    },
  );
});
