import { afterAll, beforeAll, describe } from "vitest";
import { type ConsulAgent, startConsul } from "../../../scripts/consul-cluster.mjs";
import { mustSkipConsul, whyNoConsul } from "../../support/consul-agent.js";
import { ConsulApi, ttlCheck } from "../../support/consul-api.js";
import { ConsulProxy } from "../../support/consul-proxy.js";
import { until } from "../../support/event-loop.js";
import { FakeConsul } from "../../support/fake-consul.js";
import { ManualClock } from "../../support/manual-clock.js";
import { resolverContract } from "../resolver-contract.js";
import { makeConsulResolver } from "./started-consul.js";

// Questions with an index are not counted: they are the watch itself, and one follows each answer.

resolverContract("consul, a fake one", async () => {
  const clock = new ManualClock();
  // By a clock of its own, so that the resolver's timers can be counted.
  const fake = await FakeConsul.start(new ManualClock());
  fake.set("web", [{ id: "w1", address: "10.0.0.1", port: 80 }]);
  return {
    resolver: makeConsulResolver(fake, clock),
    clock,
    questions: () => fake.requests.filter(({ query }) => !query.has("index")).length,
    until: (condition) => until(condition, "it"),
  };
});

describe.skipIf(mustSkipConsul)(`consul, a real one${whyNoConsul}`, () => {
  let agent: ConsulAgent;

  beforeAll(async () => {
    agent = await startConsul();
    await new ConsulApi(agent).register({ Name: "web", Port: 80, Check: ttlCheck("web") });
  });
  afterAll(() => agent.stop());

  resolverContract("consul", async () => {
    const clock = new ManualClock();
    const proxy = await ConsulProxy.start(agent.httpAddress);
    return {
      resolver: makeConsulResolver({ port: Number(proxy.address.split(":")[1]) }, clock),
      clock,
      questions: () => proxy.questions.filter(({ path }) => !path.includes("index=")).length,
      until: (condition) => until(condition, "it"),
      end: () => proxy.close(),
    };
  });
});
