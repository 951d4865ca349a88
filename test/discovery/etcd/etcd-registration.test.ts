import { getEventListeners } from "node:events";
import { describe, expect, it } from "vitest";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { etcdRegistrar } from "../../../src/discovery/etcd/etcd-registration.js";
import { RegistrationRefused } from "../../../src/discovery/registration.js";
import { serviceOptionsSchema, type TtlCheck } from "../../../src/discovery/registration-options.js";
import { ManualClock, settle } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import { FakeEtcd, grpcError } from "./fake-etcd.js";
import { etcdTarget, goValue } from "./started-etcd-resolver.js";

const ADDRESS = "10.0.0.5:50051";
const KEY = `users/${ADDRESS}`;
const PASSING = { status: "passing", note: "" } as const;
const WARNING = { status: "warning", note: "late" } as const;
const CRITICAL = { status: "critical", note: "down" } as const;
const GONE = grpcError(5, "etcdserver: requested lease not found");

function made(service = {}, options = {}) {
  const clock = new ManualClock();
  const etcd = new FakeEtcd(clock);
  const parsed = serviceOptionsSchema.parse({ address: ADDRESS, ...service });
  const registrar = etcdRegistrar(
    etcdTarget(),
    { ...parsed, check: parsed.check as TtlCheck },
    discoveryOptionsSchema.parse(options),
    { clock, random: fixedRandom(0.5), env: {}, openChannel: etcd.openChannel },
  );
  const stop = new AbortController();
  return { clock, etcd, registrar, stop, signal: stop.signal };
}

async function registered(service = {}, options = {}) {
  const all = made(service, options);
  await all.registrar.register(PASSING, all.signal);
  return all;
}

describe("a service registered in etcd", () => {
  it("stands under its id, on a lease, with the bytes that Go's naming writes", async () => {
    const { etcd } = await registered();

    expect(etcd.asked).toEqual(["LeaseGrant 15", `Put ${KEY}`]);
    expect(etcd.get(KEY)).toBe(`{"Op":0,"Addr":"${ADDRESS}","Metadata":null}`);
    expect(etcd.leaseOf(KEY)).toBe(1n);
  });

  it("goes by an id of its own where it has one", async () => {
    const { etcd, registrar } = await registered({ id: "users-1" });

    expect(registrar.id).toBe("users-1");
    expect(etcd.get("users/users-1")).toContain(ADDRESS);
  });

  it("has a lease of whole seconds, and shows signs of life at a third of its time", async () => {
    const { etcd, registrar } = await registered({ check: { ttlMs: 4_200 } });

    expect(etcd.asked[0]).toBe("LeaseGrant 5");
    expect(registrar.keepEveryMs).toBe(1_400);
  });

  it("does no I/O before it is registered", () => {
    expect(made().etcd.channels).toBe(0);
  });

  it("takes the place of what stands there under another lease", async () => {
    const { etcd, registrar, signal } = made();
    etcd.change({ [KEY]: goValue("10.0.0.5:1") }, 77n);

    await registrar.register(PASSING, signal);

    expect([etcd.get(KEY), etcd.leaseOf(KEY)]).toEqual([goValue(ADDRESS), 1n]);
  });

  it("is kept by a sign of life on a stream that is gone afterwards", async () => {
    const { etcd, registrar, signal } = await registered();

    expect(await registrar.keep(PASSING, signal)).toBe(true);
    expect(etcd.asked.slice(2)).toEqual(["LeaseKeepAlive 1", `Range ${KEY} (0)`]);
    expect(etcd.streams).toBe(0);
  });

  it.each([
    ["that has ended (TTL 0)", (etcd: FakeEtcd) => etcd.endLease(1n)],
    ["that etcd does not know", (etcd: FakeEtcd) => etcd.next("LeaseKeepAlive", GONE)],
  ])("is said to be forgotten with its lease %s, and gets a new one", async (_how, lose) => {
    const { etcd, registrar, signal } = await registered();
    lose(etcd);

    const isKnown = await registrar.keep(PASSING, signal);
    await registrar.register(PASSING, signal);

    expect(isKnown).toBe(false);
    expect([etcd.get(KEY), etcd.leaseOf(KEY)]).toEqual([goValue(ADDRESS), 2n]);
  });

  it("is said to be forgotten when somebody has deleted its key", async () => {
    const { etcd, registrar, signal } = await registered();
    etcd.change({ [KEY]: null });

    expect(await registrar.keep(PASSING, signal)).toBe(false);
  });

  it("leaves its successor alone, who was started with the same id", async () => {
    const { etcd, registrar, signal } = await registered();
    etcd.change({ [KEY]: goValue("10.0.0.5:1") }, 77n);

    const isKnown = await registrar.keep(PASSING, signal);
    await registrar.deregister(signal);

    expect(isKnown).toBe(true);
    expect([etcd.get(KEY), etcd.leaseOf(KEY)]).toEqual([goValue("10.0.0.5:1"), 77n]);
  });

  it("is taken away while it is critical, and comes back on the same lease", async () => {
    const { etcd, registrar, signal } = await registered();

    const kept = [await registrar.keep(CRITICAL, signal), await registrar.keep(CRITICAL, signal)];
    const whileCritical = etcd.get(KEY);
    await registrar.keep(WARNING, signal);

    expect(kept).toEqual([true, true]);
    expect(whileCritical).toBeUndefined();
    expect([etcd.get(KEY), etcd.leaseOf(KEY)]).toEqual([goValue(ADDRESS), 1n]);
    expect(etcd.asked.filter((asked) => asked.startsWith("DeleteRange"))).toHaveLength(1);
  });

  it("is said to be forgotten when its lease ends while it is critical, and shows no key", async () => {
    const { etcd, registrar, signal } = await registered();
    await registrar.keep(CRITICAL, signal);

    etcd.endLease(1n);

    expect(await registrar.keep(CRITICAL, signal)).toBe(false);
  });

  it("that is critical from the beginning shows no key", async () => {
    const { etcd, registrar, signal } = made();

    await registrar.register(CRITICAL, signal);

    expect(etcd.get(KEY)).toBeUndefined();
    expect(await registrar.keep(CRITICAL, signal)).toBe(true);
  });

  it("is gone at once when it is deregistered, lease and all", async () => {
    const { etcd, registrar, signal } = await registered();

    await registrar.deregister(signal);
    await registrar.deregister(signal);

    expect(etcd.get(KEY)).toBeUndefined();
    expect(etcd.asked.slice(2)).toEqual(["LeaseRevoke 1"]);
    expect(etcd.alive.size).toBe(0);
  });

  it("is deregistered also where its lease has ended before", async () => {
    const { etcd, registrar, signal } = await registered();
    etcd.endLease(1n);

    await expect(registrar.deregister(signal)).resolves.toBeUndefined();
  });

  it("is not deregistered where etcd was never told of it", async () => {
    const { etcd, registrar, signal } = made();

    await registrar.deregister(signal);

    expect(etcd.asked).toEqual([]);
  });
});

describe("a registration in etcd that fails", () => {
  it("takes other connections for the next sign of life when the last one was not answered", async () => {
    const { clock, etcd, registrar, signal } = await registered();
    etcd.next("LeaseKeepAlive", "silence");
    const silent = registrar.keep(PASSING, signal).catch((error: Error) => error.message);

    await clock.advance(5_000);
    const streamsLeft = etcd.streams;
    const isKnown = await registrar.keep(PASSING, signal);

    expect(await silent).toContain("LeaseKeepAlive gave no answer within 5000 ms");
    expect(streamsLeft).toBe(0);
    expect(isKnown).toBe(true);
    expect([etcd.targets.length, etcd.channels]).toEqual([2, 1]);
  });

  it("leaves no listener at the signal that all its steps share", async () => {
    const { etcd, registrar, signal } = await registered();
    etcd.next("LeaseKeepAlive", grpcError(14, "away"));

    await registrar.keep(PASSING, signal).catch(() => {});
    await registrar.keep(PASSING, signal);

    expect(getEventListeners(signal, "abort")).toHaveLength(0);
  });

  it("says what was not done, where, and why", async () => {
    const { etcd, registrar, signal } = made();
    etcd.next("LeaseGrant", grpcError(14, "etcdserver: no leader"));

    await expect(registrar.register(PASSING, signal)).rejects.toThrow(
      `registering ${ADDRESS} at etcd://127.0.0.1:2379/users failed: 14: etcdserver: no leader`,
    );
  });

  it("is refused for good where etcd does not take the value", async () => {
    const { etcd, registrar, signal } = made();
    etcd.next("Put", grpcError(3, "etcdserver: request is too large"));

    await expect(registrar.register(PASSING, signal)).rejects.toThrow(RegistrationRefused);
  });

  it.each(["LeaseGrant", "Put", "LeaseKeepAlive", "Range"])(
    "ends within lookupTimeoutMs, all of it, where %s is not answered",
    async (method) => {
      const { clock, etcd, registrar, signal } = made({}, { lookupTimeoutMs: 900 });
      if (method === "LeaseKeepAlive" || method === "Range") await registrar.register(PASSING, signal);
      etcd.next(method, "silence");
      const before = clock.now();
      const step =
        method === "LeaseKeepAlive" || method === "Range"
          ? registrar.keep(PASSING, signal)
          : registrar.register(PASSING, signal);
      const ended = step.then(
        () => null,
        () => clock.now(),
      );

      await clock.advance(5_000);

      expect((await ended)! - before).toBe(900);
      expect(clock.pendingTimers).toBe(0);
      registrar.release();
    },
  );

  it("ends at once when its signal aborts, and what comes later is not heard", async () => {
    const { etcd, registrar, stop, signal } = made();
    etcd.next("LeaseGrant", "silence");
    const registering = registrar.register(PASSING, signal);
    await settle();

    stop.abort(new Error("the registration is closed"));

    await expect(registering).rejects.toThrow("failed: the registration is closed");
    await expect(registrar.keep(PASSING, signal)).rejects.toThrow("failed: the registration is closed");
    registrar.release();
  });

  it("leaves no channel, no stream and no timer once it is released, in whatever step", async () => {
    const { clock, etcd, registrar, signal } = await registered();
    etcd.next("LeaseKeepAlive", "silence");
    const keeping = registrar.keep(PASSING, signal).catch(() => "ended");
    await settle();

    registrar.release();
    await settle();

    expect(await keeping).toBe("ended");
    expect([etcd.channels, etcd.streams, clock.pendingTimers]).toEqual([0, 0, 0]);
  });
});
