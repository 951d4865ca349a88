import { describe, expect, it } from "vitest";
import type { ConnectivityWord, Endpoint } from "../../src/core/index.js";
import { EndpointSet } from "../../src/pool/endpoint-set.js";
import type { Subchannel } from "../../src/pool/subchannel.js";

const [A, B, C] = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1"];

/** Of a subchannel what the set looks at. */
interface Fake {
  endpoint: Endpoint;
  rank: number;
  state: ConnectivityWord;
  aggregateState: ConnectivityWord;
  connections: readonly unknown[];
  isUsable: boolean;
  grow(): boolean;
  note(): void;
  isBarred(): boolean;
}

function bench() {
  const made: Fake[] = [];
  const grown: string[] = [];
  const set = new EndpointSet((endpoint) => {
    const fake: Fake = {
      endpoint,
      rank: -1,
      state: "IDLE",
      aggregateState: "IDLE",
      connections: [],
      isUsable: true,
      grow: () => grown.push(fake.endpoint.address) > 0,
      note: () => {},
      isBarred: () => false,
    };
    made.push(fake);
    return fake as unknown as Subchannel;
  });
  const enter = (address: string, state: ConnectivityWord, connections = 1): Fake => {
    const fake = set.at(address) as unknown as Fake;
    Object.assign(fake, { state, aggregateState: state, connections: Array(connections).fill(null) });
    set.note(fake as unknown as Subchannel);
    return fake;
  };
  return { set, made, grown, enter };
}

function of(...addresses: string[]): Endpoint[] {
  return addresses.map((address) => ({ address }));
}

describe("an update (R112)", () => {
  it("makes what is new, keeps what stays, and hands out what is gone", () => {
    const { set, made } = bench();
    expect(set.update(of(A, B))).toMatchObject({ added: [A, B], removed: [], dismissed: [] });
    const [first, second] = made;

    const change = set.update(of(C, B));

    expect(change).toMatchObject({ added: [C], removed: [A], dismissed: [first] });
    expect(set.order).toEqual([made[2], second]);
    expect(made).toHaveLength(3);
    expect(set.order.map(({ rank }) => rank)).toEqual([0, 1]);
    expect(set.at(A)).toBeUndefined();
  });

  it("tells a kept endpoint what the resolver says of it now", () => {
    const { set, made } = bench();
    set.update([{ address: A, weight: 1 }]);

    set.update([{ address: A, weight: 7 }]);

    expect(made).toHaveLength(1);
    expect(made[0]?.endpoint.weight).toBe(7);
  });

  it("of another server under the same address begins anew, and yet no address came or went", () => {
    const { set, made } = bench();
    set.update([{ address: A, serverName: "one" }]);

    const change = set.update([{ address: A, serverName: "two" }]);

    expect(change).toEqual({ added: [], removed: [], dismissed: [made[0]] });
    expect(set.at(A)).toBe(made[1]);
  });

  it("touches nothing but what changed: one of 10,000 is one made and one gone", () => {
    const { set, made } = bench();
    const many = Array.from({ length: 10_000 }, (_, at) => `10.1.${at >> 8}.${at & 255}:1`);
    set.update(of(...many));

    const { dismissed } = set.update(of(...many.slice(1), A));

    expect([made.length, dismissed.length]).toEqual([10_001, 1]);
  });
});

describe("what is counted", () => {
  it("is the state of each endpoint in the set, and of no other", () => {
    const { set, enter } = bench();
    set.update(of(A, B, C));
    enter(A, "READY");
    enter(B, "CONNECTING");
    expect([set.count("READY"), set.count("CONNECTING"), set.count("IDLE")]).toEqual([1, 1, 1]);

    set.update(of(C));

    expect([set.count("READY"), set.count("CONNECTING"), set.count("IDLE")]).toEqual([0, 0, 1]);
    expect(set.ready.size).toBe(0);
  });

  it("takes no notice of an endpoint that is out of the set, though another has its address", () => {
    const { set, made } = bench();
    set.update([{ address: A, serverName: "one" }]);
    set.update([{ address: A, serverName: "two" }]);
    Object.assign(made[0] as Fake, { state: "READY", aggregateState: "READY" });

    expect(set.note(made[0] as unknown as Subchannel)).toBe(false);

    expect([set.count("READY"), set.ready.size]).toEqual([0, 0]);
  });

  it("is nothing once it is cleared", () => {
    const { set, enter } = bench();
    set.update(of(A, B));
    enter(A, "READY");

    set.clear();

    expect([set.order, set.ready.size, set.count("READY"), set.at(A)]).toEqual([[], 0, 0, undefined]);
  });
});

describe("when every connection is full (R76)", () => {
  it("the endpoint with the fewest connections gets one more", () => {
    const { set, grown, enter } = bench();
    set.update(of(A, B, C));
    enter(A, "READY", 3);
    enter(B, "READY", 2);
    enter(C, "READY", 2);

    expect(set.grow(4, "/test.Echo/Say")).toBe(true);

    expect(grown).toEqual([B]);
  });

  it.each<[string, ConnectivityWord, Partial<Fake>]>([
    ["has as many as it may", "READY", { connections: [1, 2, 3, 4] }],
    ["is not usable", "READY", { isUsable: false }],
    ["has one on its way", "READY", { grow: () => false }],
    ["is not READY", "CONNECTING", {}],
  ])("an endpoint that %s gets none", (_what, state, change) => {
    const { set, enter } = bench();
    set.update(of(A));
    Object.assign(enter(A, state, 2), change);

    expect(set.grow(4, "/test.Echo/Say")).toBe(false);
  });
});
