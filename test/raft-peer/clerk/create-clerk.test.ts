import { afterEach, describe, expect, it } from "vitest";
import { type Clerk, createClerk } from "../../../src/raft-peer/index.js";
import { ScriptedLookup } from "../../discovery/dns/scripted-lookup.js";
import { configErrorOf } from "../../support/config-error.js";
import { FakeCluster } from "./fake-cluster.js";

const servers = ["127.0.0.1:5001", "127.0.0.1:5002"];

describe("bad options are refused with every problem at once", () => {
  it.each<[string, unknown, RegExp]>([
    [
      "an empty server list",
      { servers: [], insecure: true },
      /servers is an empty array; allowed: 1 entry or more/,
    ],
    ["neither servers nor a target", { insecure: true }, /allowed: either servers or target/],
    ["both", { servers, target: "dns:///kv:1", insecure: true }, /allowed: either servers or target/],
    ["no word on security", { servers }, /credentials is missing/],
    [
      "an address without a port",
      { servers: ["localhost"], insecure: true },
      /servers\.0 is "localhost", which has no port/,
    ],
    [
      "an address twice",
      { servers: ["A:1", "a:1"], insecure: true },
      /servers\.1 is "a:1", which stands there twice/,
    ],
    ["a target of an unknown scheme", { target: "consol://x/y", insecure: true }, /did you mean consul/],
    [
      "an unknown key",
      { servers, insecure: true, sesions: 3 },
      /sesions is not a known key \(did you mean sessions\?\)/,
    ],
    ["no sessions", { servers, insecure: true, sessions: 0 }, /sessions is 0; allowed: 1 or more/],
    [
      "a probe slower at first than later",
      { servers, insecure: true, probe: { initialIntervalMs: 500 } },
      /probe\.initialIntervalMs is 500; allowed: maxIntervalMs or less|probe\.initialIntervalMs/,
    ],
    [
      "a bad option of the channel",
      { servers, insecure: true, channel: { breaker: { openMs: 0 } } },
      /channel\.breaker\.openMs/,
    ],
    ["no options", undefined, /createClerk/],
  ])("%s", (_, options, message) => {
    expect(configErrorOf(() => createClerk(options as never)).message).toMatch(message);
  });

  it("names the problems of all parts together", () => {
    const text = configErrorOf(() =>
      createClerk({ servers: ["x", "127.0.0.1:0"], sessions: -1, channel: { keepalive: { timeMs: 1 } } }),
    ).message;

    expect(text).toMatch(
      /sessions is -1.*servers\.0.*servers\.1.*credentials is missing.*channel\.keepalive\.timeMs/,
    );
  });
});

describe("servers by name", () => {
  let clerk: Clerk;
  let cluster: FakeCluster;

  afterEach(async () => {
    const closing = clerk.close({ drainMs: 0 });
    await cluster.advance(1);
    await closing;
  });

  it("are what a dns target resolves to, looked up with the first operation and not before", async () => {
    cluster = new FakeCluster();
    const lookup = new ScriptedLookup(["10.0.0.1", "10.0.0.2", "10.0.0.3"]);
    clerk = createClerk(
      { target: "dns:///kv.internal:5001" },
      { clock: cluster.clock, lookup: lookup.lookup, connect: cluster.connect, env: {} },
    );
    cluster.server(1).lead(1);
    await cluster.advance(1_000);
    expect(lookup.asked).toEqual([]);

    await cluster.run(clerk.put("k", "v"));

    expect(lookup.asked).toEqual(["kv.internal"]);
    expect(cluster.store.get("k")).toBe("v");
    const closing = clerk.close();
    await cluster.advance(1);
    await closing;
    expect(cluster.clock.pendingTimers).toBe(0);
  });
});

it("does nothing before the first operation, and can be closed then", async () => {
  const cluster = new FakeCluster();
  const clerk = cluster.clerk();

  await clerk.close();

  expect(cluster.linksMade).toBe(0);
  expect(cluster.clock.pendingTimers).toBe(0);
});
