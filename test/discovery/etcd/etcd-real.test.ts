import { rmSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type EtcdCluster, startEtcdCluster } from "../../../scripts/etcd-cluster.mjs";
import { createChannel } from "../../../src/call/create-channel.js";
import { channelFactory } from "../../../src/call/rpc-channel.js";
import { type Endpoint, systemClock, systemRandom } from "../../../src/core/index.js";
import { type DiscoveryOptions, discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { etcdRegistrar } from "../../../src/discovery/etcd/etcd-registration.js";
import { etcdResolver } from "../../../src/discovery/etcd/etcd-resolver.js";
import { KeptRegistration } from "../../../src/discovery/registration-keeper.js";
import { serviceOptionsSchema, type TtlCheck } from "../../../src/discovery/registration-options.js";
import { until } from "../../support/event-loop.js";
import { LoopbackClock } from "../../support/loopback-clock.js";
import { RecordingListener } from "../recording-listener.js";
import { resolverContract } from "../resolver-contract.js";
import { ask, base64, mustSkip, put, putAll, read, remove, singleEtcd, whySkipped } from "./real-etcd.js";
import { etcdTarget, goValue } from "./started-etcd-resolver.js";

const LIMIT_MS = 60_000;
const openChannel = channelFactory((target, options) => createChannel(target, options), systemClock);
const REAL = { clock: systemClock, random: systemRandom, lookup: async () => [], env: {}, openChannel };

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

function following(target: string, options: DiscoveryOptions = {}) {
  const listener = new RecordingListener();
  const resolver = etcdResolver(etcdTarget(target), REAL, discoveryOptionsSchema.parse(options));
  onTestFinished(() => resolver.close());
  resolver.start(listener);
  return { listener, resolver };
}

/** What a service that is kept registered does and knows; closed after the test. */
function keeping(target: string, address: string, ttlMs = 2_000) {
  const service = serviceOptionsSchema.parse({ address, check: { ttlMs } });
  const check = service.check as TtlCheck;
  const registrar = etcdRegistrar(
    etcdTarget(target),
    { ...service, check },
    discoveryOptionsSchema.parse({}),
    REAL,
  );
  const registration = new KeptRegistration(registrar, REAL, 5_000);
  const events: string[] = [];
  registration.onEvent(({ type }) => events.push(type));
  onTestFinished(() => registration.close());
  return { registration, events };
}

const addressesOf = (endpoints: readonly Endpoint[] | undefined) => endpoints?.map(({ address }) => address);
const seen = (listener: RecordingListener, addresses: readonly string[]) =>
  until(
    () => addressesOf(listener.sets.at(-1))?.join() === addresses.join(),
    `a set of ${addresses} (${listener.addresses.at(-1)}; ${listener.messages})`,
    20_000,
  );

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
    const { listener, resolver } = following(target);
    await until(() => resolver.isWatching, "a watch");

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

    const { listener, resolver } = following(target);
    await until(() => resolver.isWatching, "a watch", 20_000);
    await put(address, `${prefix}/more`, goValue("10.0.0.1:50051"));
    await until(() => listener.sets.length === 2, "the change");

    expect(listener.sets.map((set) => set.length)).toEqual([10_000, 10_001]);
  });

  it("reads values that together are larger than a message may be", async () => {
    const { target, prefix, address } = place();
    const filling = "x".repeat(200_000);
    for (let at = 0; at < 30; at++)
      await put(address, `${prefix}/${at}`, goValue(`10.0.1.${at}:1`, { filling }));

    const { listener, resolver } = following(target);
    await until(() => resolver.isWatching, "a watch", 20_000);

    expect(listener.sets.map((set) => set.length)).toEqual([30]);
    expect(listener.errors).toEqual([]);
  });

  it("registers a service, whom others see, and takes it away when it is closed", async () => {
    const { target, prefix, address } = place();
    const { listener, resolver } = following(target);
    await until(() => resolver.isWatching, "a watch");
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

  it("keeps a service registered for longer than its lease lasts without a sign of life", async () => {
    const { target, prefix, address } = place();
    const { registration, events } = keeping(target, "10.0.0.5:50051");
    await registration.start();
    const { lease } = (await read(address, `${prefix}/10.0.0.5:50051`))!;
    const leftMs = async () =>
      Number(Reflect.get(await ask(address, "lease/timetolive", { ID: lease }), "TTL"));

    await until(async () => (await leftMs()) < 2, "time passing");
    await until(async () => (await leftMs()) === 2, "a sign of life");

    expect(events).toEqual(["registered"]);
  });

  it("registers a service anew whose lease was ended behind its back", async () => {
    const { target, prefix, address } = place();
    const { listener, resolver } = following(target);
    await until(() => resolver.isWatching, "a watch");
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
    const etcd = await singleEtcd();
    const target = `etcd://${etcd.address}/users`;
    await put(etcd.address, "users/1", goValue("10.0.0.1:50051"));
    const { listener, resolver } = following(target);
    await until(() => resolver.isWatching, "a watch");

    await etcd.server.kill();
    await until(() => listener.errors.length > 0, "a failure");
    const early = listener.addresses.length;
    etcd.server.start();
    await etcd.ready();
    await remove(etcd.address, "users/1").catch(() => remove(etcd.address, "users/1"));
    const revision = await put(etcd.address, "users/2", goValue("10.0.0.2:50051"));
    await ask(etcd.address, "kv/compaction", { revision });
    await seen(listener, ["10.0.0.2:50051"]);

    expect(early).toBe(1);
    expect(listener.addresses.filter((set) => set.length === 0)).toEqual([]);
    expect(resolver.isWatching).toBe(true);
  });

  it("reads all keys again from an etcd that was started anew with an empty store", async () => {
    const etcd = await singleEtcd();
    for (let at = 0; at < 5; at++) await put(etcd.address, "users/1", goValue("10.0.0.1:50051"));
    const { listener, resolver } = following(`etcd://${etcd.address}/users`);
    await until(() => resolver.isWatching, "a watch");

    await etcd.server.kill();
    rmSync(join(etcd.folder, "data"), { recursive: true });
    etcd.server.start();
    await etcd.ready();
    await until(
      () => put(etcd.address, "users/2", goValue("10.0.0.2:50051")).then(Boolean, () => false),
      "a put",
    );
    await seen(listener, ["10.0.0.2:50051"]);

    expect(listener.addresses.at(0)).toEqual(["10.0.0.1:50051"]);
    expect(listener.addresses.flat().filter((address) => address === "10.0.0.2:50051")).toHaveLength(1);
  });

  it("goes on over the death of the leader: nothing is lost, what was there stays, the registration too", async () => {
    const { target, prefix } = place();
    const { registration, events } = keeping(target, "10.0.0.5:50051", 10_000);
    await registration.start();
    const { listener, resolver } = following(target);
    await until(() => resolver.isWatching, "a watch");
    await seen(listener, ["10.0.0.5:50051"]);

    const first = await cluster.waitForLeader();
    await first.kill();
    const second = await cluster.waitForLeader();
    await until(
      () => put(second.address, `${prefix}/x`, goValue("10.0.0.6:50051")).then(Boolean, () => false),
      "a put through the new leader",
      20_000,
    );
    await seen(listener, ["10.0.0.5:50051", "10.0.0.6:50051"]);
    first.restart();
    await cluster.waitInSync(first);

    expect(listener.addresses.every((set) => set.includes("10.0.0.5:50051"))).toBe(true);
    expect(events.filter((type) => type !== "failed")).toEqual(["registered"]);
  });
});
