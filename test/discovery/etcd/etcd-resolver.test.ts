import { describe, expect, it } from "vitest";
import { ResilienceError } from "../../../src/core/index.js";
import { resolverContract } from "../resolver-contract.js";
import { etcdTarget, goValue, makeEtcdResolver, startedEtcdResolver } from "./started-etcd-resolver.js";

const ONE = "10.0.0.1:50051";
const TWO = "10.0.0.2:50051";
const THREE = "10.0.0.3:50051";

resolverContract("etcd", () => {
  const { resolver, clock, etcd } = makeEtcdResolver();
  return { resolver, clock, questions: () => etcd.metadata.length };
});

describe("etcd resolver: answers", () => {
  it("reads the keys under the prefix, and watches from the next revision on", async () => {
    const { etcd, listener, resolver } = await startedEtcdResolver();

    expect(listener.addresses).toEqual([[ONE]]);
    expect(etcd.asked).toEqual(["Range users/ (2000)", "Watch users/ from 3"]);
    expect(resolver.isWatching).toBe(true);
  });

  it("speaks to all servers of its target, through one channel", async () => {
    const { etcd } = await startedEtcdResolver();

    expect(etcd.targets).toEqual(["static:///127.0.0.1:2379"]);
  });

  it("asks members without a leader to refuse", async () => {
    const { etcd } = await startedEtcdResolver();

    expect(etcd.metadata).toEqual([
      { method: "Range", hasleader: "true" },
      { method: "Watch", hasleader: "true" },
    ]);
  });

  it("reports an empty set where there are no keys, and does not look at keys beside the prefix", async () => {
    const { listener } = await startedEtcdResolver({}, (etcd) =>
      etcd.change({ "users/1": null, users: goValue(TWO), users0: goValue(TWO), "users-b/1": goValue(TWO) }),
    );

    expect(listener.addresses).toEqual([[]]);
  });

  it("follows what is put and deleted", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver();

    etcd.change({ "users/2": goValue(TWO) });
    await clock.advance(0);
    etcd.change({ "users/1": null });
    await clock.advance(0);

    expect(listener.addresses).toEqual([[ONE], [ONE, TWO], [TWO]]);
  });

  it("keeps the order of the keys, in whatever order they come, so that it is the same for all", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver();

    etcd.change({ "users/2": goValue(TWO) });
    etcd.change({ "users/0": goValue(THREE) });
    await clock.advance(0);

    expect(listener.addresses.at(-1)).toEqual([THREE, ONE, TWO]);
  });

  it("applies everything that happened in one revision as one answer", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver();

    etcd.change({ "users/1": null, "users/2": goValue(TWO), "users/3": goValue(THREE, { weight: 3 }) });
    await clock.advance(0);

    expect(listener.sets.slice(1)).toEqual([[{ address: TWO }, { address: THREE, weight: 3 }]]);
  });

  it("waits for the last part of an answer that comes in several messages", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver();
    const put = (key: string, address: string) => ({
      type: 0,
      kv: {
        ...{ key: Buffer.from(key), value: Buffer.from(goValue(address)), modRevision: 3n },
        ...{ createRevision: 3n, version: 1n, lease: 0n },
      },
    });

    etcd.tell({ events: [put("users/2", TWO)], fragment: true });
    await clock.advance(0);
    const before = listener.sets.length;
    etcd.tell({ events: [put("users/3", THREE)] });
    await clock.advance(0);

    expect(before).toBe(1);
    expect(listener.addresses.slice(1)).toEqual([[ONE, TWO, THREE]]);
  });

  it("counts an address under two keys once, as the key written last has it", async () => {
    const { listener } = await startedEtcdResolver({}, (etcd) => {
      etcd.change({ "users/a": goValue(TWO, { weight: 2 }), "users/b": goValue(TWO, { weight: 3 }) });
      etcd.change({ "users/a": goValue(TWO, { weight: 5 }) });
    });

    expect(listener.sets[0]).toEqual([{ address: ONE }, { address: TWO, weight: 5 }]);
  });

  it("asks nothing when a refresh is wanted, as the watch tells by itself", async () => {
    const { clock, etcd, resolver } = await startedEtcdResolver();

    for (let call = 0; call < 100; call++) resolver.refresh();
    await clock.advance(5_000);

    expect(etcd.asked).toHaveLength(2);
  });

  it("knows its target by one spelling", () => {
    expect(makeEtcdResolver().resolver.target).toBe(etcdTarget().canonical);
  });
});

describe("etcd resolver: keys that hold no endpoint", () => {
  it("are as good as none, which is said, since a misspelled prefix looks like that", async () => {
    const { listener } = await startedEtcdResolver({}, (etcd) => etcd.change({ "users/1": null }));

    expect(listener.addresses).toEqual([[]]);
    expect(listener.problems).toEqual(['there are no keys under "users/"']);
  });

  it("are left out and said, beside the others", async () => {
    const { listener } = await startedEtcdResolver({}, (etcd) =>
      etcd.change({ "users/0": "junk", "users/2": goValue("nowhere") }),
    );

    expect(listener.addresses).toEqual([[ONE]]);
    expect(listener.messages).toEqual([]);
    expect(listener.problems).toEqual([
      '2 of 3 keys under "users/" hold no endpoint and are left out: "users/0" is no JSON object with an Addr; ' +
        '"users/2" has the Addr "nowhere", which has no port; write host:port',
    ]);
  });

  it("are said with every answer until they are gone", async () => {
    const { clock, etcd, listener } = await startedEtcdResolver({}, (fake) =>
      fake.change({ "users/0": "junk" }),
    );

    etcd.change({ "users/2": "junk too" });
    await clock.advance(0);
    etcd.tell({});
    await clock.advance(0);
    etcd.change({ "users/0": null, "users/2": null });
    await clock.advance(0);

    expect(listener.problems.map((text) => text?.slice(0, 6))).toEqual([
      "1 of 2",
      "2 of 3",
      "2 of 3",
      undefined,
    ]);
    expect(listener.addresses).toEqual([[ONE], [ONE], [ONE], [ONE]]);
  });

  it("are told by ten of them when there are many", async () => {
    const junk = Object.fromEntries(Array.from({ length: 500 }, (_, place) => [`users/j${place}`, "x"]));
    const { listener } = await startedEtcdResolver({}, (etcd) => etcd.change(junk));

    expect(listener.problems[0]).toMatch(/^500 of 501 keys .*; and 490 more$/);
    expect(listener.problems[0]?.length).toBeLessThan(1_000);
  });
});

describe("etcd resolver: many keys", () => {
  const many = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, place) => [
      `users/${String(place).padStart(5, "0")}`,
      goValue(`10.0.${place >> 8}.${place & 255}:50051`),
    ]),
  );

  it("are read page by page, at one revision, and reported as one answer", async () => {
    const { clock, resolver, listener, etcd } = makeEtcdResolver();
    etcd.change({ "users/1": null });
    etcd.change(many);

    resolver.start(listener);
    await clock.advance(0);

    expect(listener.sets.map((set) => set.length)).toEqual([10_000]);
    expect(etcd.asked).toHaveLength(6);
    expect(etcd.asked.at(-1)).toBe("Watch users/ from 5");
  });

  it("are read in smaller pages where a page is larger than a message may be", async () => {
    const { clock, resolver, listener, etcd } = makeEtcdResolver();
    const tooLarge = new ResilienceError({
      reason: "MESSAGE_TOO_LARGE",
      code: 8,
      details: "larger than 4 MiB",
    });
    etcd.change({ "users/2": goValue(TWO) });
    etcd.next("Range", tooLarge, tooLarge);

    resolver.start(listener);
    await clock.advance(0);

    expect(listener.addresses).toEqual([[ONE, TWO]]);
    expect(etcd.asked.slice(0, 3)).toEqual([
      "Range users/ (2000)",
      "Range users/ (200)",
      "Range users/ (20)",
    ]);
    expect(listener.errors).toEqual([]);
  });
});
