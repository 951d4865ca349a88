import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type EtcdCluster, startEtcdCluster } from "../../../scripts/etcd-cluster.mjs";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { etcdResolver } from "../../../src/discovery/etcd/etcd-resolver.js";
import { until } from "../../support/event-loop.js";
import { FaultProxy } from "../../support/fault-proxy.js";
import { LoopbackClock } from "../../support/loopback-clock.js";
import { resolverContract } from "../resolver-contract.js";
import { keeping, openChannel, REAL, seen, watching } from "./real-discovery.js";
import { ask, metric, mustSkip, put, putAll, read, remove, singleEtcd, whySkipped } from "./real-etcd.js";
import { etcdTarget, goValue } from "./started-etcd-resolver.js";

const LIMIT_MS = 60_000;
let cluster: EtcdCluster;
let prefixes = 0;

beforeAll(async () => {
  if (!mustSkip) cluster = await startEtcdCluster();
}, LIMIT_MS);

afterAll(() => cluster?.stop());

/** A prefix of the test's own, on all members. */
function place() {
  const prefix = `test-${++prefixes}`;
  const members = cluster.nodes.map(({ address }) => address);
  return { prefix, members, address: members[0]!, target: `etcd://${members.join(",")}/${prefix}` };
}

if (!mustSkip) {
  resolverContract("etcd itself", async () => {
    const { target, prefix, address } = place();
    await put(address, `${prefix}/1`, goValue("10.0.0.1:50051"));
    const clock = new LoopbackClock();
    let questions = 0;
    const counted: typeof openChannel = (...args) => {
      const channel = openChannel(...args);
      return {
        unary: (...call) => {
          questions++;
          return channel.unary(...call);
        },
        stream: (...call) => {
          questions++;
          return channel.stream(...call);
        },
        close: () => channel.close(),
      };
    };
    // The manual clock runs ahead of a real server.
    const options = discoveryOptionsSchema.parse({ lookupTimeoutMs: 600_000 });
    const resolver = etcdResolver(etcdTarget(target), { ...REAL, clock, openChannel: counted }, options);
    return { resolver, clock, questions: () => questions, until: (is) => until(is, "an answer") };
  });
}

describe.skipIf(mustSkip)(`discovery through a real etcd${whySkipped}`, { timeout: LIMIT_MS }, () => {
  it("sees servers come and go, in the order in which they do", async () => {
    const { target, prefix, address } = place();
    const { listener } = await watching(target);

    await put(address, `${prefix}/a`, goValue("10.0.0.1:50051", { weight: 3 }));
    await put(address, `${prefix}-b/x`, goValue("10.0.0.9:50051"));
    await put(address, `${prefix}/b`, goValue("10.0.0.2:50051"));
    await putAll(address, [
      [`${prefix}/c`, goValue("10.0.0.3:50051")],
      [`${prefix}/d`, goValue("10.0.0.4:50051")],
    ]);
    await remove(address, `${prefix}/a`);
    await seen(listener, ["10.0.0.2:50051", "10.0.0.3:50051", "10.0.0.4:50051"]);

    expect(listener.addresses.map((set) => set.length)).toEqual([0, 1, 2, 4, 3]);
    expect(listener.sets[1]).toEqual([{ address: "10.0.0.1:50051", weight: 3 }]);
    expect(listener.errors).toEqual([]);
  });

  it("reads 10,000 endpoints page by page as one answer, and follows one more", async () => {
    const { target, prefix, address } = place();
    const pairs = Array.from({ length: 10_000 }, (_, at) => {
      return [
        `${prefix}/${String(at).padStart(5, "0")}`,
        goValue(`10.1.${at >> 8}.${at & 255}:50051`),
      ] as const;
    });
    for (let at = 0; at < pairs.length; at += 100) await putAll(address, pairs.slice(at, at + 100));

    const { listener } = await watching(target);
    await put(address, `${prefix}/more`, goValue("10.0.0.1:50051"));
    await until(() => listener.sets.length === 2, "the change");

    expect(listener.sets.map((set) => set.length)).toEqual([10_000, 10_001]);
  });

  it("reads values that together are larger than a message may be", async () => {
    const { target, prefix, address } = place();
    const filling = "x".repeat(200_000);
    for (let at = 0; at < 30; at++)
      await put(address, `${prefix}/${at}`, goValue(`10.0.1.${at}:1`, { filling }));

    const { listener } = await watching(target);

    expect(listener.sets.map((set) => set.length)).toEqual([30]);
    expect(listener.errors).toEqual([]);
  });

  it("registers a service, whom others see, and takes it away when it is closed", async () => {
    const { target, prefix, address } = place();
    const { listener } = await watching(target);
    const { registration, events } = keeping(target, "10.0.0.5:50051");

    await registration.start();
    await seen(listener, ["10.0.0.5:50051"]);
    const written = await read(address, `${prefix}/10.0.0.5:50051`);
    await registration.close();
    await seen(listener, []);

    expect(written?.value).toBe('{"Op":0,"Addr":"10.0.0.5:50051","Metadata":null}');
    expect(events).toEqual(["registered", "closed"]);
    expect(listener.addresses).toEqual([[], ["10.0.0.5:50051"], []]);
  });

  it("keeps the lease of a service alive while the service lives", async () => {
    const { target, prefix, address } = place();
    const { registration, events } = keeping(target, "10.0.0.5:50051", 5_000);
    await registration.start();
    const { lease } = (await read(address, `${prefix}/10.0.0.5:50051`))!;
    // Whole seconds that are left: 3 shortly before the sign of life, 4 after it.
    const left = async () => Number((await ask(address, "lease/timetolive", { ID: lease })).TTL);

    await until(async () => (await left()) === 3, "time passing");
    await until(async () => (await left()) === 4, "a sign of life");

    expect(events).toEqual(["registered"]);
  });

  it("registers a service anew whose lease was ended behind its back", async () => {
    const { target, prefix, address } = place();
    const { listener } = await watching(target);
    const { registration, events } = keeping(target, "10.0.0.5:50051");
    await registration.start();
    const first = await read(address, `${prefix}/10.0.0.5:50051`);

    await ask(address, "lease/revoke", { ID: first!.lease });
    await until(() => registration.stats().registrations === 2, "a second registration");
    const second = await read(address, `${prefix}/10.0.0.5:50051`);
    await seen(listener, ["10.0.0.5:50051"]);

    expect(events).toEqual(["registered", "forgotten", "registered"]);
    expect(second).toMatchObject({ value: first!.value });
    expect(second!.lease).not.toBe(first!.lease);
    expect(listener.addresses).toEqual([[], ["10.0.0.5:50051"], [], ["10.0.0.5:50051"]]);
  });

  it("reads all keys again when what it missed while it was cut off has been compacted", async () => {
    const { prefix, address } = place();
    await put(address, `${prefix}/1`, goValue("10.0.0.1:50051"));
    const proxy = await proxyTo(address);
    const { listener } = await watching(`etcd://${proxy.address}/${prefix}`);

    await proxy.refuse();
    proxy.resetAll();
    await until(() => listener.errors.length > 0, "a failure");
    await remove(address, `${prefix}/1`);
    const revision = await put(address, `${prefix}/2`, goValue("10.0.0.2:50051"));
    await ask(address, "kv/compaction", { revision });
    await proxy.pass();
    await seen(listener, ["10.0.0.2:50051"]);

    expect(listener.addresses).toEqual([["10.0.0.1:50051"], ["10.0.0.2:50051"]]);
  });

  it("brings what it missed while it was cut off, event by event, where nothing was compacted", async () => {
    const { prefix, address } = place();
    await put(address, `${prefix}/1`, goValue("10.0.0.1:50051"));
    const proxy = await proxyTo(address);
    const { listener } = await watching(`etcd://${proxy.address}/${prefix}`);

    await proxy.refuse();
    proxy.resetAll();
    await until(() => listener.errors.length > 0, "a failure");
    await put(address, `${prefix}/2`, goValue("10.0.0.2:50051"));
    await remove(address, `${prefix}/1`);
    await proxy.pass();
    await seen(listener, ["10.0.0.2:50051"]);

    expect(listener.errors).toHaveLength(1);
    expect([listener.addresses.at(0), listener.addresses.at(-1)]).toEqual([
      ["10.0.0.1:50051"],
      ["10.0.0.2:50051"],
    ]);
  });

  it("gets a sign of life from etcd whenever it asks for one, and gives up a stream that shows none", async () => {
    const { prefix, address } = place();
    const proxy = await proxyTo(address);
    const { listener, resolver } = await watching(`etcd://${proxy.address}/${prefix}`, {
      refreshMs: 50,
      lookupTimeoutMs: 2_000,
    });
    await until(() => listener.sets.length > 5, "five signs of life");
    const errorsBefore = listener.errors.length;

    proxy.blackHoleOpen();
    await until(() => listener.errors.length > 0, "a failure");
    await until(() => resolver.isWatching === true, "another watch", 20_000);

    expect(errorsBefore).toBe(0);
    expect(listener.messages[0]).toBe(
      `the watch of "${prefix}/" fell silent: no sign of life within 2000 ms`,
    );
  });

  it("reads all keys again from an etcd that was started anew with an empty store", async () => {
    const etcd = await singleEtcd();
    for (let at = 0; at < 5; at++) await put(etcd.address, "users/1", goValue("10.0.0.1:50051"));
    const { listener } = await watching(`etcd://${etcd.address}/users`);

    await etcd.server.kill();
    rmSync(join(etcd.folder, "data"), { recursive: true });
    await etcd.start();
    await until(
      () => put(etcd.address, "users/2", goValue("10.0.0.2:50051")).then(Boolean, () => false),
      "a put",
    );
    await seen(listener, ["10.0.0.2:50051"]);

    expect(listener.addresses.at(0)).toEqual(["10.0.0.1:50051"]);
    expect(listener.addresses.flat().filter((address) => address === "10.0.0.2:50051")).toHaveLength(1);
  });

  it("goes on over the death of the leader: what was there stays, the registration too", async () => {
    const { target, prefix } = place();
    const { registration, events } = keeping(target, "10.0.0.5:50051", 10_000);
    await registration.start();
    const { listener } = await watching(target);
    const first = await cluster.waitForLeader();

    await first.kill();
    const second = await cluster.waitForLeader();
    await eventually(() => put(second.address, `${prefix}/x`, goValue("10.0.0.6:50051")));
    await seen(listener, ["10.0.0.5:50051", "10.0.0.6:50051"]);
    first.restart();
    await cluster.waitInSync(first);

    expect(listener.addresses.every((set) => set.includes("10.0.0.5:50051"))).toBe(true);
    expect(events.filter((type) => type !== "failed")).toEqual(["registered"]);
  });

  it("resumes its watch at another member when its own is killed, and misses nothing", async () => {
    const { target, prefix } = place();
    const { listener, resolver } = await watching(target);
    const watchers = cluster.nodes.map(({ address }) => metric(address, "etcd_debugging_mvcc_watcher_total"));
    const own = cluster.nodes[(await Promise.all(watchers)).indexOf(1)]!;
    const other = cluster.nodes.find((node) => node !== own)!;

    await own.kill();
    await until(() => !resolver.isWatching === true, "the loss");
    await eventually(() => put(other.address, `${prefix}/a`, goValue("10.0.0.1:50051")));
    await put(other.address, `${prefix}/b`, goValue("10.0.0.2:50051"));
    await remove(other.address, `${prefix}/a`);
    await seen(listener, ["10.0.0.2:50051"]);
    own.restart();
    await cluster.waitInSync(own);

    expect(listener.messages[0]).toContain(`the watch of "${prefix}/" broke`);
    expect(listener.sets.filter((set) => set.length > 1).length).toBeLessThanOrEqual(1);
  });

  it("loses its watch at a member that is cut off from the others, which would fall silent", async () => {
    const { prefix, address } = place();
    const { listener, resolver } = await watching(`etcd://${address}/${prefix}`);
    const [, ...others] = cluster.nodes;

    for (const node of others) await node.kill();
    await until(() => listener.errors.length > 0, "an error", 20_000);
    const isWatching = resolver.isWatching;
    for (const node of others) node.restart();
    for (const node of others) await cluster.waitInSync(node);
    await until(() => resolver.isWatching === true, "a watch", 30_000);

    expect(isWatching).toBe(false);
    expect(listener.messages[0]).toContain("etcdserver: no leader");
  });
});

/** What cuts a resolver off from a member, until the end of the test. */
async function proxyTo(address: string): Promise<FaultProxy> {
  const proxy = await FaultProxy.start(Number(address.split(":")[1]));
  onTestFinished(() => proxy.close());
  return proxy;
}

/** Does it as soon as it can be done: an election may be under way. */
function eventually(act: () => Promise<unknown>): Promise<void> {
  return until(
    () =>
      act().then(
        () => true,
        () => false,
      ),
    "what is done eventually",
    20_000,
  );
}
