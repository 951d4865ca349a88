import fc from "fast-check";
import { describe, expect, it, vi } from "vitest";
import type { ConnectivityWord } from "../../../src/core/index.js";
import { Xxh64 } from "../../../src/pool/pickers/hash.js";
import type { Picker } from "../../../src/pool/pickers/picker.js";
import { consistentHash, ringHash } from "../../../src/pool/pickers/ring-hash.js";
import {
  consistentHashOptionsSchema,
  ringHashOptionsSchema,
} from "../../../src/pool/pickers/ring-hash-options.js";
import { fixedRandom } from "../../support/seeded-random.js";
import {
  ANY,
  allBut,
  FakeCandidate,
  fakeCandidates,
  NOBODY,
  pickCall,
  pickerInput,
} from "./fake-candidate.js";
import { describePicker } from "./picker-contract.js";

type Options = Parameters<typeof ringHashOptionsSchema.parse>[0];

function policy(options: Options = {}) {
  return ringHash(ringHashOptionsSchema.parse(options));
}

function picker(
  candidates: readonly FakeCandidate[],
  options: Options = {},
  previous: Picker<FakeCandidate> | null = null,
) {
  return policy(options).create(pickerInput(candidates, { previous }));
}

function addressOf(from: Picker<FakeCandidate>, key: string): string | undefined {
  return from.pick(ANY, pickCall(key))?.endpoint.address;
}

/** Share of keys that two pickers send to different addresses. */
function moved(a: Picker<FakeCandidate>, b: Picker<FakeCandidate>, keys = 5_000): number {
  let count = 0;
  for (let key = 0; key < keys; key++) if (addressOf(a, `key-${key}`) !== addressOf(b, `key-${key}`)) count++;
  return count / keys;
}

/** Endpoints in the order in which this key's walk meets them. */
function walkOf(candidates: readonly FakeCandidate[], key: string): FakeCandidate[] {
  const met: FakeCandidate[] = [];
  const one = picker(candidates);
  for (let next = one.pick(ANY, pickCall(key)); next !== null; next = one.pick(allBut(...met), pickCall(key)))
    met.push(next);
  return met;
}

describePicker("ring_hash", policy({ minRingSize: 4_096 }));
describePicker("consistent_hash", consistentHash(consistentHashOptionsSchema.parse({})));
describePicker("ring_hash with bounded load", policy({ minRingSize: 64, boundedLoadFactor: 1.25 }), {
  usesAll: false,
});

describe("ring_hash", () => {
  it("connects nothing by itself, only what calls need (R131)", () => {
    expect(policy().connects).toBe("picked");
  });

  it("sends calls with the same key to the same endpoint, in every client, whatever the resolver's order", () => {
    const candidates = fakeCandidates(10);
    const here = picker(candidates);
    const there = picker(candidates.toReversed());

    expect(moved(here, here)).toBe(0);
    expect(moved(here, there)).toBe(0);
  });

  it.each([3, 10, 100])(
    "moves about one key in n when one of n endpoints comes, to it or to neighbours (%d) (R129)",
    (count) => {
      const before = picker(fakeCandidates(count));
      const after = picker(fakeCandidates(count + 1));

      const share = moved(before, after);

      expect(share).toBeGreaterThan(0.6 / (count + 1));
      expect(share).toBeLessThan(2.2 / (count + 1));
    },
  );

  it("shares keys out by weight (R129)", () => {
    const candidates = fakeCandidates([5, 3, 1, 1]);
    const one = picker(candidates, { minRingSize: 4_096 });
    const counts = new Map(candidates.map((candidate) => [candidate, 0]));

    for (let key = 0; key < 20_000; key++) {
      const picked = one.pick(ANY, pickCall(`key-${key}`))!;
      counts.set(picked, counts.get(picked)! + 1);
    }

    const shares = candidates.map((candidate) => counts.get(candidate)! / 20_000);
    for (const [index, expected] of [0.5, 0.3, 0.1, 0.1].entries())
      expect(Math.abs(shares[index]! - expected)).toBeLessThan(0.15 * expected);
  });

  it.each([0, -1, Number.NaN, Number.POSITIVE_INFINITY])("takes a weight of %d for none", (weight) => {
    expect(moved(picker(fakeCandidates([1, weight, 2])), picker(fakeCandidates([1, 1, 2])), 500)).toBe(0);
  });

  it("keeps keys where they are when an endpoint with a hash key of its own changes its address (R128)", () => {
    const rest = fakeCandidates(4);
    const before = new FakeCandidate({ address: "10.9.9.9:1", hashKey: "shard-7" });
    const after = new FakeCandidate({ address: "10.9.9.10:1", hashKey: "shard-7" });
    const [old, renewed] = [picker([before, ...rest]), picker([...rest, after])];

    const keys = Array.from({ length: 500 }, (_, index) => pickCall(`key-${index}`));

    const atShard = keys.filter((key) => old.pick(ANY, key) === before);
    expect(atShard.length).toBeGreaterThan(50);
    expect(keys.filter((key) => renewed.pick(ANY, key) === after)).toEqual(atShard);
  });

  it.each([
    [{}, 4_096],
    [{ ringSizeCap: 8_192 }, 8_192],
    [{ ringSizeCap: 100 }, 100],
  ])("makes no ring larger than the client's cap, whoever asks for it: %j (R127)", (cap, entries) => {
    const hashing = vi.spyOn(Xxh64.prototype, "update");

    picker(fakeCandidates(10), { minRingSize: 8_192, maxRingSize: 8_192, ...cap });

    expect(hashing).toHaveBeenCalledTimes(entries);
    hashing.mockRestore();
  });
});

describe("a walk along the ring", () => {
  const [I, C, R, F]: ConnectivityWord[] = ["IDLE", "CONNECTING", "READY", "TRANSIENT_FAILURE"];

  it.each<{ states: ConnectivityWord[]; answers: number | null; so: string }>([
    { states: [R!, R!, R!], answers: 0, so: "the first that is READY is used" },
    { states: [I!, R!, R!], answers: 0, so: "one that is IDLE is connected, and the call waits" },
    { states: [C!, R!, R!], answers: 0, so: "one that is CONNECTING is waited for" },
    { states: [F!, F!, R!], answers: 2, so: "those that failed are passed over" },
    { states: [F!, I!, R!], answers: 1, so: "the next after a failed one is connected" },
    { states: ["SHUTDOWN", F!, R!], answers: 2, so: "one that is closed is passed over" },
    { states: [F!, F!, F!], answers: null, so: "where all failed the call fails" },
  ])("from a key on: $so ($states) (R130)", ({ states, answers }) => {
    const candidates = fakeCandidates(3);
    const walk = walkOf(candidates, "key");
    for (const [index, state] of states.entries()) walk[index]!.state = state;

    const picked = picker(candidates).pick(ANY, pickCall("key"));

    expect(picked).toBe(answers === null ? null : walk[answers]);
  });

  it.each<ConnectivityWord>(["IDLE", "CONNECTING"])(
    "passes over an endpoint that is %s while its breaker or its ejection keeps calls away",
    (state) => {
      const candidates = fakeCandidates(3);
      const walk = walkOf(candidates, "key");
      Object.assign(walk[0]!, { state, barred: true });
      const one = picker(candidates);

      expect(one.pick(ANY, pickCall("key"))).toBe(walk[1]);
      for (const candidate of candidates) Object.assign(candidate, { state, barred: true });
      expect(one.pick(ANY, pickCall("key"))).toBeNull();
      expect(one.pick(ANY, pickCall())).toBeNull();
      walk[0]!.barred = false;
      expect(one.pick(ANY, pickCall("key"))).toBe(walk[0]);
    },
  );

  it("passes over READY endpoints that may not be used", () => {
    const candidates = fakeCandidates(3);
    const walk = walkOf(candidates, "key");

    expect(new Set(walk)).toEqual(new Set(candidates));
    expect(picker(candidates).pick(allBut(walk[0]!), pickCall("key"))).toBe(walk[1]);
    walk[1]!.state = "IDLE";
    expect(picker(candidates).pick(NOBODY, pickCall("key"))).toBe(walk[1]);
  });
});

describe("a call's key", () => {
  const candidates = fakeCandidates(10);

  it("is its own hashKey, else the value of the header that the options name (R132)", () => {
    const one = picker(candidates, { requestHashHeader: "x-user" });
    const byKey = (key: string | null, headers = {}) => one.pick(ANY, pickCall(key, headers));

    for (const user of ["ann", "bob", "a,b", ""]) {
      expect(byKey(null, { "x-user": user })).toBe(byKey(user));
      expect(byKey(user, { "x-user": "somebody else" })).toBe(byKey(user));
    }
  });

  it("may be missing: chance then chooses where the walk begins, by the endpoints' shares (R132)", () => {
    const one = picker(candidates, { requestHashHeader: "x-user" });
    const used = new Set(Array.from({ length: 300 }, () => one.pick(ANY, pickCall(null, { "x-team": "t" }))));

    expect(used.size).toBe(10);
  });

  /** All IDLE but for these, at the end of the walk that a roll of 0 begins. */
  function idleBut(states: ConnectivityWord[]) {
    const all = fakeCandidates(10);
    const first = policy().create(pickerInput(all, { random: fixedRandom(0) }));
    const walk: FakeCandidate[] = [];
    for (
      let next = first.pick(ANY, pickCall());
      next !== null;
      next = first.pick(allBut(...walk), pickCall())
    )
      walk.push(next);
    for (const candidate of all) candidate.state = "IDLE";
    for (const [index, state] of states.entries()) walk[walk.length - states.length + index]!.state = state;
    const one = policy().create(pickerInput(all, { random: fixedRandom(0) }));
    return {
      walk,
      picks: (count: number) => Array.from({ length: count }, () => walk.indexOf(one.pick(ANY, pickCall())!)),
    };
  }

  it.each<{ states: ConnectivityWord[]; picks: number[]; so: string }>([
    { states: ["READY"], picks: [0, 9, 9], so: "one connects an endpoint, the others take the READY one" },
    {
      states: ["CONNECTING", "READY"],
      picks: [9, 9, 9],
      so: "none connects another while one is connecting",
    },
    { states: [], picks: [0, 0, 0], so: "all wait for the first" },
    { states: ["CONNECTING"], picks: [9, 9, 9], so: "all wait for the one that is connecting" },
  ])(
    "when missing starts one connection at most, $states at the end of nine or ten IDLE: $so (R132)",
    (row) => {
      expect(idleBut(row.states).picks(3)).toEqual(row.picks);
    },
  );
});

describe("the next snapshot", () => {
  it.each<{ what: string; change: (all: FakeCandidate[]) => FakeCandidate[] }>([
    { what: "states changed", change: (all) => all },
    {
      what: "all candidates are new objects",
      change: (all) => all.map(({ endpoint }) => new FakeCandidate({ ...endpoint })),
    },
    { what: "the resolver has another order", change: (all) => [...all.slice(3), ...all.slice(0, 3)] },
  ])("costs no hashing where only $what, and answers its own endpoints", ({ change }) => {
    const all = fakeCandidates([1, 2, 3, 4, 5, 6, 7]);
    const first = picker(all);
    const picks = Array.from({ length: 50 }, (_, key) => addressOf(first, `key-${key}`));
    const now = change(all);
    const hashing = vi.spyOn(Xxh64.prototype, "update");

    const second = picker(now, {}, first);

    expect(hashing).not.toHaveBeenCalled();
    hashing.mockRestore();
    expect(Array.from({ length: 50 }, (_, key) => addressOf(second, `key-${key}`))).toEqual(picks);
    expect(now).toContain(second.pick(ANY, pickCall("key")));
  });

  it.each<{ what: string; now: FakeCandidate[]; options: Options }>([
    { what: "another weight", now: fakeCandidates([1, 1, 5]), options: {} },
    { what: "another address", now: fakeCandidates(4).slice(1), options: {} },
    { what: "one more", now: fakeCandidates(4), options: {} },
    {
      what: "another hash key",
      now: [...fakeCandidates(2), new FakeCandidate({ address: "10.0.0.2:1", hashKey: "k" })],
      options: {},
    },
    { what: "another ring size", now: fakeCandidates(3), options: { minRingSize: 8, maxRingSize: 8 } },
  ])("has a ring of its own where there is $what", ({ now, options }) => {
    const before = picker(fakeCandidates(3));

    const after = picker(now, options, before);

    expect(moved(after, picker(now, options), 500)).toBe(0);
    expect(moved(after, before, 500)).toBeGreaterThan(0);
  });
});

describe("consistent_hash", () => {
  const create = (candidates: readonly FakeCandidate[], previous: Picker<FakeCandidate> | null = null) =>
    consistentHash(consistentHashOptionsSchema.parse({})).create(pickerInput(candidates, { previous }));
  const addresses = (count: number) =>
    fc.uniqueArray(
      fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65_535 })).map(([host, port]) => `${host}:${port}`),
      { minLength: count, maxLength: count },
    );
  const keys = Array.from({ length: 2_000 }, (_, key) => `key-${key}`);

  it("moves at most 15 % of the keys when ten endpoints become eleven, all to the new one, and back", () => {
    fc.assert(
      fc.property(addresses(11), (eleven) => {
        const candidates = eleven.map((address) => new FakeCandidate(address));
        const ten = create(candidates.slice(0, 10));
        const before = keys.map((key) => addressOf(ten, key));

        const grown = create(candidates, ten);

        const after = keys.map((key) => addressOf(grown, key));
        const moves = after.filter((address, index) => address !== before[index]);
        expect(new Set(moves)).toEqual(new Set([eleven[10]]));
        expect(moves.length / keys.length).toBeLessThanOrEqual(0.15);
        const shrunk = create(candidates.slice(0, 10), grown);
        expect(keys.map((key) => addressOf(shrunk, key))).toEqual(before);
      }),
    );
  });

  it("has a name of its own, and connects as ring_hash does", () => {
    expect(consistentHash(consistentHashOptionsSchema.parse({}))).toMatchObject({
      name: "consistent_hash",
      connects: "picked",
    });
  });
});
