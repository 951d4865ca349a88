import { onTestFinished } from "vitest";
import { findConsul } from "../../scripts/consul.mjs";
import { type ConsulAgent, type ConsulOptions, startConsul } from "../../scripts/consul-cluster.mjs";
import { ConsulApi } from "./consul-api.js";

/** In CI a missing Consul is a failure: tests then run, and the start of an agent says what is missing. */
export const mustSkipConsul = findConsul() === undefined && !process.env["CI"];

/** For the titles of tests that skip. */
export const whyNoConsul = mustSkipConsul
  ? " (SKIPPED: Consul is neither on PATH nor built; node scripts/consul.mjs)"
  : "";

export interface TestConsul {
  readonly agent: ConsulAgent;
  readonly api: ConsulApi;
}

/** An agent of the running test's own, stopped after it. */
export async function consulOfTest(options?: ConsulOptions): Promise<TestConsul> {
  const agent = await startConsul(options);
  onTestFinished(() => agent.stop());
  return { agent, api: new ConsulApi(agent) };
}
