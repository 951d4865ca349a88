import { describe, expect, it } from "vitest";
import { turns } from "../../support/event-loop.js";
import { NO_LEADER } from "../../support/fake-consul-faults.js";
import { fakeConsul, startedConsul, watchingConsul } from "./started-consul.js";

const W1 = { id: "w1", address: "10.0.0.1", port: 80 };
const W2 = { id: "w2", address: "10.0.0.2", port: 80 };

describe("ConsulResolver: a healthy Consul", () => {
  it("reports the instances that pass their checks, weighted, named and described (E55, D37)", async () => {
    const { listener } = await startedConsul();

    expect(listener.sets).toEqual([
      [
        {
          address: "10.0.0.1:80",
          weight: 1,
          serverName: "web",
          metadata: {
            "consul.tags": "",
            "consul.node": "consul-1",
            "consul.datacenter": "dc1",
            "consul.id": "w1",
          },
        },
      ],
    ]);
  });

  it("says of an empty answer what it had asked for, which is what a misspelled name looks like", async () => {
    const none = (consul: { set(service: string, instances: []): void }) => consul.set("web", []);
    const tagged = await startedConsul({ query: "?tag=b&tag=a" }, none);
    const warning = await startedConsul({ query: "?passing=false" }, none);

    expect(tagged.listener.problems).toEqual([
      'no instance of "web" with "a" and "b" passes its checks, or Consul does not know it, or the token may not read it',
    ]);
    expect(warning.listener.problems[0]).toContain('no instance of "web" is free of critical checks, or');
  });

  it("asks without an index first, then waits for the index to pass (E56)", async () => {
    const { fake } = await watchingConsul({ options: { consul: { waitMs: 30_000 } } });

    expect(fake.requests.map(({ query }) => query.toString())).toEqual([
      "passing=true",
      "passing=true&index=11&wait=30000ms",
    ]);
  });

  it("reports a change as soon as Consul answers", async () => {
    const { fake, listener } = await watchingConsul();

    fake.set("web", [W1, W2]);
    await listener.heard(2);

    expect(listener.addresses).toEqual([["10.0.0.1:80"], ["10.0.0.1:80", "10.0.0.2:80"]]);
  });

  it("takes an unhealthy instance out of the rotation, and back in (D40)", async () => {
    const { clock, fake, listener } = await watchingConsul();

    fake.set("web", [W1, { ...W2, status: "critical" }]);
    await listener.heard(2);
    await clock.advance(1_000);
    await fake.holding();
    fake.set("web", [W1, W2]);
    await listener.heard(3);

    expect(listener.addresses.slice(1)).toEqual([["10.0.0.1:80"], ["10.0.0.1:80", "10.0.0.2:80"]]);
  });

  it("asks again with the same index when the wait is over and nothing has changed", async () => {
    const { clock, fake, listener } = await watchingConsul();

    await clock.advance(60_000);
    await listener.heard(2);
    await fake.holding();

    expect(fake.requests.at(-1)?.query.get("index")).toBe("11");
    expect(listener.errors).toEqual([]);
  });

  it("watches only while a blocking question is out", async () => {
    const { clock, fake, resolver } = await startedConsul();
    const before = resolver.isWatching;

    await clock.advance(1_000);
    await fake.holding();

    expect([before, resolver.isWatching]).toEqual([false, true]);
  });

  it("asks at once after a refresh in the pause, so that a doubtful loss is confirmed soon", async () => {
    const { clock, fake, resolver, listener } = await startedConsul();

    resolver.refresh();
    await clock.advance(1_000);
    await listener.heard(2);

    expect(fake.requests.map(({ query }) => query.get("index"))).toEqual([null, null]);
  });

  it("knows no endpoint of a service that nobody has registered, and goes on watching", async () => {
    const { clock, fake, listener } = await startedConsul({}, (consul) => consul.registry.forget());

    await clock.advance(1_000);
    await fake.holding();

    expect(listener.sets).toEqual([[]]);
    expect(listener.errors).toEqual([]);
  });

  it("asks once more without index when a change leaves nothing, of which the token may be the reason", async () => {
    const { clock, fake, listener } = await watchingConsul();

    fake.set("web", []);
    await listener.heard(2);
    fake.failNext({ kind: "headers", headers: { "x-consul-results-filtered-by-acls": "true" } });
    await clock.advance(1_000);
    await listener.heard(3);

    expect(fake.requests.map(({ query }) => query.get("index"))).toEqual([null, "11", null]);
    expect(listener.messages[0]).toContain("left out what the token may not read");
  });

  it("asks for what the target says", async () => {
    const query = "?tag=v2&tag=eu&near=_agent&filter=Node.Meta.os%20==%20linux&consistency=consistent";

    const { fake } = await startedConsul({ query });

    expect(Object.fromEntries(fake.requests[0]?.query ?? [])).toEqual({
      passing: "true",
      tag: "v2",
      near: "_agent",
      filter: "Node.Meta.os == linux",
      consistent: "1",
    });
    expect(fake.requests[0]?.query.getAll("tag")).toEqual(["eu", "v2"]);
  });

  it("asks in the namespace and the partition of the target", async () => {
    const { fake } = await startedConsul({ query: "?ns=team&partition=east" });

    expect(fake.requests[0]?.headers).toMatchObject({
      "x-consul-namespace": "team",
      "x-consul-partition": "east",
    });
  });

  it("takes instances in state warning by their warning weight when the target says so", async () => {
    const weights = { Passing: 10, Warning: 2 };

    const { listener } = await startedConsul({ query: "?passing=false" }, (fake) =>
      fake.set("web", [
        { ...W1, weights },
        { ...W2, weights, status: "warning" },
        { id: "w3", address: "10.0.0.3", port: 80, status: "critical" },
      ]),
    );

    expect(listener.newest.map(({ address, weight }) => [address, weight])).toEqual([
      ["10.0.0.1:80", 10],
      ["10.0.0.2:80", 2],
    ]);
  });
});

describe("ConsulResolver: the process", () => {
  const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === "TCPSocketWrap").length;

  it("is kept alive for the first answer, which calls may wait for, and not by the watch", async () => {
    const { clock, fake, resolver, listener } = await fakeConsul();
    await turns(10);
    const before = sockets();
    fake.failNext({ kind: "silence" });

    resolver.start(listener);
    await fake.asked(1);
    const atFirst = sockets() - before;
    await clock.advance(5_000);
    await fake.deserted();
    await clock.advance(1_000);
    await listener.heard(2);
    await clock.advance(1_000);
    await fake.holding();
    const whileWatching = sockets() - before;

    // The server's end of the connection is one of them.
    expect([atFirst, whileWatching]).toEqual([2, 1]);
  });
});

describe("ConsulResolver: the end", () => {
  it("closes the connection of a blocking question at once and leaves no timer", async () => {
    const { clock, fake, resolver, listener } = await watchingConsul();
    const events = listener.events;

    resolver.close();
    const timersOfResolver = clock.pendingTimers;
    await fake.deserted();
    fake.set("web", [W2]);
    await clock.advance(600_000);

    // The one timer is the fake's own wait.
    expect(timersOfResolver).toBe(1);
    expect(clock.pendingTimers).toBe(0);
    expect([fake.requests.length, listener.events]).toEqual([2, events]);
  });

  it("closes a connection whose question was never answered", async () => {
    const { clock, fake, resolver, listener } = await fakeConsul();
    fake.failAlways({ kind: "silence" });

    resolver.start(listener);
    await fake.asked(1);
    resolver.close();
    await fake.deserted();

    expect(clock.pendingTimers).toBe(0);
    expect(listener.events).toBe(0);
  });

  it("opens no connection when it is closed before its first one", async () => {
    const { clock, fake, resolver, listener } = await fakeConsul();

    resolver.start(listener);
    resolver.close();
    await clock.advance(60_000);

    expect([fake.requests.length, fake.sockets, clock.pendingTimers]).toEqual([0, 0, 0]);
  });

  it("cancels the wait after a failure", async () => {
    const { clock, resolver } = await startedConsul({}, (fake) => fake.failAlways(NO_LEADER));

    resolver.close();

    expect(clock.pendingTimers).toBe(0);
  });
});
