import { describe, expect, it } from "vitest";
import type { Connection } from "../../src/pool/connection.js";
import { ConnectionSet } from "../../src/pool/connection-set.js";
import type { Suspicion } from "../../src/pool/suspicion.js";

/** A connection of which the set sees only how many calls it has. */
function connection(inFlight = 0): Connection & { inFlight: number } {
  return { inFlight } as Connection & { inFlight: number };
}

function setOf(...connections: Connection[]): ConnectionSet {
  const set = new ConnectionSet();
  for (const each of connections) set.add(each, 0);
  return set;
}

function suspicion(): Suspicion & { cancels: number } {
  const made = { cancels: 0, cancel: () => void made.cancels++ };
  return made as unknown as Suspicion & { cancels: number };
}

function memberOf(set: ConnectionSet, of: Connection) {
  const member = set.of(of);
  if (member === undefined) throw new Error("not in the set");
  return member;
}

describe("the connection for the next call", () => {
  it.each([
    [[3, 1, 2], 1],
    [[0, 0, 5], 0],
    [[99, 100, 100], 99],
  ])("of %j in flight is one with %d", (inFlight, fewest) => {
    const set = setOf(...inFlight.map(connection));

    expect(set.least(100, false)?.inFlight).toBe(fewest);
  });

  it("is none when all have as many calls as they may, or there is none", () => {
    expect(setOf(connection(2), connection(3)).least(2, false)).toBeNull();
    expect(new ConnectionSet().least(2, false)).toBeNull();
  });

  it("D19: goes round where several have as few", () => {
    const all = [connection(1), connection(0), connection(0), connection(0)];
    const set = setOf(...all);

    const chosen = Array.from({ length: 300 }, () => set.least(100, false));

    const counts = all.map((each) => chosen.filter((one) => one === each).length);
    expect(counts[0]).toBe(0);
    // A connection after a busy one inherits its turns, as no more than that.
    expect(Math.min(...counts.slice(1))).toBeGreaterThanOrEqual(75);
  });

  it("is none of those in doubt, unless that is what is asked for", () => {
    const [idle, busy] = [connection(0), connection(5)];
    const set = setOf(idle, busy);
    set.doubt(memberOf(set, idle), suspicion(), false);

    expect(set.least(100, false)).toBe(busy);
    expect(set.least(100, true)).toBe(idle);
  });
});

describe("doubts", () => {
  it("leave a set trusted until all its connections are in doubt, and again when one is cleared", () => {
    const [one, two] = [connection(), connection()];
    const set = setOf(one, two);
    const seen = [set.isTrusted];

    for (const each of [one, two]) {
      set.doubt(memberOf(set, each), suspicion(), false);
      seen.push(set.isTrusted);
    }
    set.clear(memberOf(set, two));
    seen.push(set.isTrusted);

    expect(seen).toEqual([true, true, false, true]);
  });

  it("count once, however often they come and are cleared", () => {
    const [one, two] = [connection(), connection()];
    const set = setOf(one, two);
    const member = memberOf(set, one);

    for (let time = 0; time < 3; time++) set.doubt(member, suspicion(), false);
    expect(set.isTrusted).toBe(true);
    for (let time = 0; time < 3; time++) set.clear(member);
    set.doubt(memberOf(set, two), suspicion(), false);

    expect(set.isTrusted).toBe(true);
  });

  it("end with their connection: its verification stops, and the others count as before", () => {
    const [one, two] = [connection(), connection()];
    const set = setOf(one, two);
    const doubt = suspicion();
    set.doubt(memberOf(set, one), doubt, true);

    expect(set.remove(one)).toBe(true);

    expect(doubt.cancels).toBe(1);
    expect([set.isTrusted, set.isUnverified, set.size]).toEqual([true, false, 1]);
  });

  it("say whether calls had better wait, until the last such verification is over", () => {
    const [one, two] = [connection(), connection()];
    const set = setOf(one, two);
    set.doubt(memberOf(set, one), suspicion(), true);
    set.doubt(memberOf(set, two), suspicion(), false);
    expect(set.isUnverified).toBe(true);

    set.clear(memberOf(set, one));

    expect(set.isUnverified).toBe(false);
  });

  it("take all that was held against a connection with them when they are cleared", () => {
    const one = connection();
    const set = setOf(one);
    const member = memberOf(set, one);
    set.doubt(member, suspicion(), true);
    member.isUnanswered = true;
    expect(set.lasting).toBe(0);

    set.clear(member);

    expect(member).toMatchObject({ suspicion: null, isUnanswered: false, isUnverified: false });
    expect(set.lasting).toBe(1);
  });
});

it("an empty set is trusted with nothing, and removing a stranger changes nothing", () => {
  const set = new ConnectionSet();

  expect([set.isTrusted, set.isUnverified, set.size, set.lasting]).toEqual([false, false, 0, 0]);
  expect(set.remove(connection())).toBe(false);
});

it("those about to be replaced do not count as lasting", () => {
  const [one, two] = [connection(), connection()];
  const set = setOf(one, two);

  memberOf(set, one).retiring = "age";

  expect([set.lasting, set.size]).toEqual([1, 2]);
});
