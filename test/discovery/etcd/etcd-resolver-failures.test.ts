import { describe, expect, it } from "vitest";
import { type FakeEtcd, grpcError } from "./fake-etcd.js";
import { goValue, makeEtcdResolver, startedEtcdResolver } from "./started-etcd-resolver.js";

const ONE = "10.0.0.1:50051";
const TWO = "10.0.0.2:50051";
const DOWN = grpcError(14, "etcdserver: no leader");
const HALF_AN_HOUR_MS = 1_800_000;

describe("etcd resolver: a watch that breaks", () => {
  it("is resumed where it was, without reading the keys again", async () => {
    const { clock, etcd, listener, resolver } = await startedEtcdResolver();

    etcd.breakStreams(DOWN);
    const isWatchingWhileDown = resolver.isWatching;
    etcd.change({ "users/2": goValue(TWO) });
    await clock.advance(999);
    const askedEarly = etcd.asked.length;
    await clock.advance(1);

    expect(isWatchingWhileDown).toBe(false);
    expect(askedEarly).toBe(2);
    expect(etcd.asked.slice(2)).toEqual(["Watch users/ from 3"]);
    expect(listener.messages).toEqual(['the watch of "users/" broke: 14: etcdserver: no leader']);
    expect(listener.addresses).toEqual([[ONE], [ONE, TWO]]);
    expect(resolver.isWatching).toBe(true);
  });

  it("proves soon that it has caught up, where nothing has happened meanwhile", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver();

    etcd.breakStreams(DOWN);
    await clock.advance(1_000);
    const setsBefore = listener.sets.length;
    await clock.advance(500);

    expect(setsBefore).toBe(1);
    expect(etcd.asked.slice(2)).toEqual(["Watch users/ from 3", "Progress"]);
    expect(listener.addresses).toEqual([[ONE], [ONE]]);
  });

  it("is resumed after the last event that it has brought", async () => {
    const { clock, etcd } = await startedEtcdResolver();
    etcd.change({ "users/2": goValue(TWO) });
    etcd.change({ "elsewhere/1": "x" });
    await clock.advance(0);

    etcd.breakStreams(null);
    await clock.advance(1_000);

    expect(etcd.asked.at(-1)).toBe("Watch users/ from 5");
  });

  it("says that etcd closed it where no error came", async () => {
    const { etcd, listener } = await startedEtcdResolver();

    etcd.breakStreams(null);

    expect(listener.messages).toEqual(['the watch of "users/" broke: etcd closed its stream']);
  });

  it("does not hurry etcd: attempts that fail come with backoff, the first success begins it anew", async () => {
    const { clock, etcd } = await startedEtcdResolver();
    etcd.next("Watch", DOWN, DOWN, DOWN);

    etcd.breakStreams(DOWN);
    const at: number[] = [];
    for (let ms = 0; ms <= 10_000; ms += 10) {
      const before = etcd.metadata.length;
      await clock.advance(ms === 0 ? 0 : 10);
      if (etcd.metadata.length > before) at.push(ms);
    }
    etcd.breakStreams(DOWN);
    await clock.advance(1_000);

    expect(at).toEqual([1_000, 2_600, 5_160, 9_260]);
    expect(etcd.streams).toBe(1);
  });

  it("reads all keys again after a compaction, no failure but not sooner than the interval allows", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver({ minIntervalMs: 4_000 });
    etcd.breakStreams(DOWN);
    etcd.change({ "users/2": goValue(TWO) });
    etcd.change({ "users/1": null });
    etcd.compact();

    await clock.advance(3_999);
    const early = [...etcd.asked];
    await clock.advance(1);

    expect(early.slice(2)).toEqual(["Watch users/ from 3"]);
    expect(etcd.asked.slice(3)).toEqual(["Range users/ (2000)", "Watch users/ from 5"]);
    expect(listener.addresses.at(-1)).toEqual([TWO]);
    expect(listener.errors).toHaveLength(1);
  });

  it("reads again when the store has gone back, as one that was emptied has", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver({}, (fake) =>
      fake.change({ "users/2": goValue(TWO) }),
    );

    etcd.startAnew();
    etcd.change({ "users/2": goValue(TWO) });
    await clock.advance(1_000);

    expect(etcd.asked.slice(2)).toEqual([
      "Watch users/ from 4",
      "Range users/ (2000)",
      "Watch users/ from 3",
    ]);
    expect(listener.addresses.at(-1)).toEqual([TWO]);
  });

  it("reads again when elections are counted from the beginning, whatever the revision", async () => {
    const { clock, etcd } = await startedEtcdResolver();

    etcd.breakStreams(DOWN);
    etcd.header.raftTerm = 1n;
    await clock.advance(1_000);

    expect(etcd.asked.slice(3)).toEqual(["Range users/ (2000)", "Watch users/ from 3"]);
  });

  it("reads again when another cluster answers", async () => {
    const { clock, etcd } = await startedEtcdResolver();

    etcd.breakStreams(DOWN);
    etcd.header.clusterId = 8n;
    await clock.advance(1_000);

    expect(etcd.asked.slice(3)).toEqual(["Range users/ (2000)", "Watch users/ from 3"]);
  });

  it("waits for a member that has fallen behind a read just now", async () => {
    const { clock, etcd, listener, resolver } = await startedEtcdResolver({}, (fake) => {
      fake.watchHeader = { revision: 1n };
    });

    await clock.advance(10_000);

    expect(etcd.asked).toHaveLength(2);
    expect(resolver.isWatching).toBe(true);
    expect(listener.errors).toEqual([]);
  });

  it("says so where the servers belong to different clusters, and keeps asking with backoff", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver({}, (fake) => {
      fake.watchHeader = { clusterId: 8n };
    });

    await clock.advance(999);

    expect(etcd.asked).toHaveLength(2);
    expect(listener.messages).toEqual([
      "the servers of etcd://127.0.0.1:2379/users belong to different clusters",
    ]);
  });
});

describe("etcd resolver: silence", () => {
  it("asks a silent watch for a sign of life, and takes it for an answer", async () => {
    const { clock, etcd, listener, resolver } = await startedEtcdResolver({ refreshMs: 10_000 });

    await clock.advance(25_000);

    expect(etcd.asked.slice(2)).toEqual(["Progress", "Progress"]);
    expect(listener.addresses).toEqual([[ONE], [ONE], [ONE]]);
    expect(resolver.isWatching).toBe(true);
  });

  it("does so also where names are not refreshed at all", async () => {
    const { clock, etcd } = await startedEtcdResolver({ refreshMs: null });

    await clock.advance(30_000);

    expect(etcd.asked.slice(2)).toEqual(["Progress"]);
  });

  it("does not ask a watch that brings news", async () => {
    const { clock, etcd } = await startedEtcdResolver({ refreshMs: 10_000 });

    for (let turn = 0; turn < 5; turn++) {
      await clock.advance(9_000);
      etcd.change({ "users/2": goValue(TWO) });
      await clock.advance(0);
    }

    expect(etcd.asked).toHaveLength(2);
  });

  it("gives a watch up that shows none, and resumes it on a new stream", async () => {
    const { clock, etcd, listener, resolver } = await startedEtcdResolver({ refreshMs: 10_000 });
    etcd.isMute = true;

    await clock.advance(14_999);
    const early = listener.errors.length;
    await clock.advance(1);
    const isWatchingThen = resolver.isWatching;
    await clock.advance(1_000);

    expect(early).toBe(0);
    expect(listener.messages).toEqual(['the watch of "users/" fell silent: no sign of life within 5000 ms']);
    expect(isWatchingThen).toBe(false);
    expect(etcd.asked.slice(2)).toEqual(["Progress", "Watch users/ from 3"]);
    // On a connection of its own, as the old one may be dead.
    expect(etcd.targets).toHaveLength(2);
    expect([etcd.channels, etcd.streams]).toEqual([1, 1]);
  });

  it("does not count on a watch before it is set up", async () => {
    const { resolver } = await startedEtcdResolver({}, (fake) => fake.next("Watch", "silence"));

    expect(resolver.isWatching).toBe(false);
  });

  it("gives up a watch that is not set up in time", async () => {
    const { clock, listener, etcd } = await startedEtcdResolver({}, (fake) => fake.next("Watch", "silence"));

    await clock.advance(5_000);

    expect(listener.messages).toEqual(['etcd did not set up the watch of "users/" within 5000 ms']);
    expect(etcd.streams).toBe(0);
  });

  it("keeps no process alive", async () => {
    const { clock } = await startedEtcdResolver();

    expect([clock.pendingTimers, clock.keepAliveTimers]).toEqual([1, 0]);
  });
});

describe("etcd resolver: reads that fail", () => {
  it("are reported, and repeated with backoff", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver({}, (fake) => fake.next("Range", DOWN, DOWN));

    await clock.advance(999);
    const early = etcd.asked.length;
    await clock.advance(1);
    await clock.advance(1_600);

    expect(early).toBe(1);
    const said = "reading the keys of etcd://127.0.0.1:2379/users failed: 14: etcdserver: no leader";
    expect(listener.messages).toEqual([said, said]);
    expect(listener.addresses).toEqual([[ONE]]);
  });

  it("stay below one a second for half an hour of outage", async () => {
    const { clock, resolver, listener, etcd } = makeEtcdResolver();
    etcd.next("Range", ...Array.from({ length: 2_000 }, () => DOWN));

    resolver.start(listener);
    await clock.advance(HALF_AN_HOUR_MS);

    expect(listener.errors.length).toBe(etcd.asked.length);
    expect(etcd.asked.length).toBeLessThan(70);
  });

  it("fail after the time of one question where nothing comes back", async () => {
    const { clock, listener } = await startedEtcdResolver({ lookupTimeoutMs: 700 }, (fake) =>
      fake.next("Range", "silence"),
    );

    await clock.advance(700);

    expect(listener.messages).toEqual([expect.stringContaining("no answer within 700 ms")]);
  });

  it("begin anew where the keys were compacted between two pages", async () => {
    const { clock, resolver, listener, etcd } = makeEtcdResolver();
    const keys = Array.from({ length: 2_500 }, (_, at) => [
      `users/k${at}`,
      goValue(`10.1.${at >> 8}.${at & 255}:1`),
    ]);
    etcd.change(Object.fromEntries(keys));
    etcd.afterRange = () => {
      etcd.afterRange = null;
      etcd.change({ elsewhere: "x" });
      etcd.compact();
    };

    resolver.start(listener);
    await clock.advance(1_000);

    expect(listener.messages).toEqual([
      expect.stringContaining("revision 3 was compacted while it was read"),
    ]);
    expect(listener.sets.map((set) => set.length)).toEqual([2_501]);
    expect(etcd.asked.filter((asked) => asked.startsWith("Range"))).toHaveLength(4);
  });

  it("say what is wrong with a channel that cannot be made, and throw nothing", async () => {
    const { clock, resolver, listener } = makeEtcdResolver({}, () => {
      throw new Error("no certificates");
    });

    resolver.start(listener);
    const inside = listener.events;
    await clock.advance(0);

    expect(inside).toBe(0);
    expect(listener.messages).toEqual([
      "reading the keys of etcd://127.0.0.1:2379/users failed: no certificates",
    ]);
  });
});

describe("etcd resolver: the end", () => {
  it("comes also where an answer is in that has not been told yet", async () => {
    const { clock, etcd, listener, resolver } = makeEtcdResolver();
    etcd.afterRange = () => resolver.close();

    resolver.start(listener);
    await clock.advance(0);

    expect(listener.events).toBe(0);
    expect([etcd.channels, etcd.streams, clock.pendingTimers]).toEqual([0, 0, 0]);
    expect(resolver.isWatching).toBe(false);
  });

  it("may come from whoever hears the answer", async () => {
    const { clock, etcd, resolver } = makeEtcdResolver();

    resolver.start({ onEndpoints: () => resolver.close(), onError: () => {} });
    await clock.advance(0);

    expect([etcd.channels, etcd.streams, clock.pendingTimers]).toEqual([0, 0, 0]);
  });

  it.each([
    ["while it reads", (etcd: FakeEtcd) => etcd.next("Range", "silence")],
    ["while it sets up its watch", (etcd: FakeEtcd) => etcd.next("Watch", "silence")],
    ["while it watches", () => {}],
    ["while it waits", (etcd: FakeEtcd) => etcd.next("Range", DOWN)],
  ])("leaves no channel, no stream and no timer %s", async (_when, prepare) => {
    const { clock, etcd, listener, resolver } = await startedEtcdResolver({}, prepare);
    const before = listener.events;

    resolver.close();
    const left = [etcd.channels, etcd.streams, clock.pendingTimers];
    etcd.change({ "users/2": goValue(TWO) });
    await clock.advance(60_000);

    expect(left).toEqual([0, 0, 0]);
    expect(listener.events).toBe(before);
  });

  it("cancels a watch whose stream is only just being opened", async () => {
    const { clock, etcd, listener, resolver } = makeEtcdResolver({ etcd: { username: "u", password: "p" } });
    resolver.start(listener);
    await Promise.resolve();

    resolver.close();
    await clock.advance(60_000);

    expect([etcd.channels, etcd.streams, clock.pendingTimers]).toEqual([0, 0, 0]);
  });
});
