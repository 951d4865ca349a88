import { describe, expect, it } from "vitest";
import { startConsul } from "../../../scripts/consul-cluster.mjs";
import { mustSkipConsul, whyNoConsul } from "../../support/consul-agent.js";
import { ConsulApi, ttlCheck } from "../../support/consul-api.js";
import { until } from "../../support/event-loop.js";
import { FakeConsul } from "../../support/fake-consul.js";
import { ManualClock } from "../../support/manual-clock.js";
import { resolverContract } from "../resolver-contract.js";
import { makeConsulResolver } from "./started-consul.js";

resolverContract("consul, a fake one", async () => {
  const clock = new ManualClock();
  // By a clock of its own, so that the resolver's timers can be counted.
  const fake = await FakeConsul.start(new ManualClock());
  fake.set("web", [{ id: "w1", address: "10.0.0.1", port: 80 }]);
  return {
    resolver: makeConsulResolver(fake, clock),
    clock,
    questions: () => fake.requests.length,
    until: (condition) => until(condition, "it"),
  };
});
