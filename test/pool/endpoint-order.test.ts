import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/index.js";
import { inPreferredOrder, isSameServer } from "../../src/pool/endpoint-order.js";
import { policyOf } from "../../src/pool/pickers/registry.js";
import { poolOptionsSchema } from "../../src/pool/pool-options.js";
import { fixedRandom, SeededRandom } from "../support/seeded-random.js";

const [A, B, C, D] = ["10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1"];

function policy(loadBalancing: unknown) {
  return policyOf(poolOptionsSchema.parse({ loadBalancing }).loadBalancing, () => {});
}

function order(
  endpoints: readonly Endpoint[],
  zone: string | null = null,
  loadBalancing: unknown = "round_robin",
) {
  const ordered = inPreferredOrder(endpoints, policy(loadBalancing), zone, fixedRandom(0.5));
  return ordered.map(({ address }) => address);
}

describe("endpoints are preferred", () => {
  it("as the resolver has them where nothing tells them apart", () => {
    expect(order([{ address: C }, { address: A }, { address: B, priority: 0 }], "here")).toEqual([C, A, B]);
  });

  it("by priority first, the lowest number before all others, and none counts as 0", () => {
    expect(order([{ address: A, priority: 2 }, { address: B, priority: 1 }, { address: C }])).toEqual([
      C,
      B,
      A,
    ]);
  });

  it("by our own zone within a priority, never across", () => {
    const endpoints = [
      { address: A, priority: 1, zone: "here" },
      { address: B, zone: "there" },
      { address: C, zone: "here" },
      { address: D },
    ];

    expect(order(endpoints, "here")).toEqual([C, B, D, A]);
    expect(order(endpoints, null)).toEqual([B, C, D, A]);
  });

  it("with the address families in turn where one after the other is tried, as the first has it (R113)", () => {
    const endpoints = [{ address: "[::1]:1" }, { address: "[::2]:1" }, { address: A }, { address: B }];

    expect(order(endpoints, null, "pick_first")).toEqual(["[::1]:1", A, "[::2]:1", B]);
    expect(order(endpoints)).toEqual(["[::1]:1", "[::2]:1", A, B]);
  });

  it("in an order drawn by lot where that is asked for, and priorities stay (R113)", () => {
    const endpoints = [A, B, C, D].map((address) => ({ address, priority: address === A ? 0 : 1 }));
    const shuffled = policy({ policy: "pick_first", shuffleAddressList: true });
    const random = new SeededRandom(1);

    const orders = Array.from({ length: 50 }, () =>
      inPreferredOrder(endpoints, shuffled, null, random).map(({ address }) => address),
    );

    expect(new Set(orders.map(([first]) => first))).toEqual(new Set([A]));
    expect(new Set(orders.map(([, second]) => second))).toEqual(new Set([B, C, D]));
  });

  it("without a change to what the resolver gave", () => {
    const endpoints = Object.freeze([{ address: A, priority: 1 }, { address: B }]);

    expect(order(endpoints)).toEqual([B, A]);
  });
});

describe("connections are of use for another word of the resolver's", () => {
  const one: Endpoint = { address: A, serverName: "kv.example", weight: 1, zone: "here", priority: 0 };

  it.each<[string, boolean, Partial<Endpoint>]>([
    ["the weight, zone or priority changes", true, { weight: 5, zone: "there", priority: 2 }],
    ["the name of the server changes", false, { serverName: "other.example" }],
    ["a proxy stands between now", false, { isProxied: true }],
  ])("where %s: %s", (_what, expected, change) => {
    expect(isSameServer(one, { ...one, ...change })).toBe(expected);
  });
});
