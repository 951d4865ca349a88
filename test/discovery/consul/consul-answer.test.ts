import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { parseAddress } from "../../../src/core/index.js";
import { readConsulAnswer } from "../../../src/discovery/consul/consul-answer.js";

const ASKED: Parameters<typeof readConsulAnswer>[1] = {
  service: "web",
  isPassingOnly: true,
  taggedAddress: null,
};
const ALSO_WARNING = { ...ASKED, isPassingOnly: false };

/** An entry as Consul writes them; what is given stands over it. */
function entry(service: object = {}, node: object = {}, statuses: readonly unknown[] = ["passing"]) {
  return {
    Node: { Node: "n1", Address: "10.1.0.1", Datacenter: "dc1", Meta: {}, ...node },
    Service: {
      ID: "w1",
      Service: "web",
      Tags: [],
      Address: "10.0.0.1",
      Port: 80,
      Meta: {},
      Weights: { Passing: 1, Warning: 1 },
      ...service,
    },
    Checks: statuses.map((Status) => ({ Status })),
  };
}

function addressesOf(body: unknown, asked = ASKED): string[] {
  return readConsulAnswer(body, asked).endpoints.map(({ address }) => address);
}

describe("readConsulAnswer: addresses (E55)", () => {
  it.each([
    ["the service's own", {}, {}, "10.0.0.1:80"],
    ["the node's when the service has none", { Address: "" }, {}, "10.1.0.1:80"],
    ["an IPv6 address in brackets, in its short spelling", { Address: "fd00:0::1" }, {}, "[fd00::1]:80"],
    ["an IPv6 address of a node", { Address: "" }, { Address: "::1" }, "[::1]:80"],
    ["a host name", { Address: "Web.Internal" }, {}, "web.internal:80"],
    ["the highest port", { Port: 65_535 }, {}, "10.0.0.1:65535"],
  ])("takes %s", (_what, service, node, address) => {
    expect(addressesOf([entry(service, node)])).toEqual([address]);
  });

  it.each([
    ["of the service", { TaggedAddresses: { wan: { Address: "1.2.3.4", Port: 81 } } }, {}, "1.2.3.4:81"],
    [
      "of the service, with its port for none",
      { TaggedAddresses: { wan: { Address: "1.2.3.4" } } },
      {},
      "1.2.3.4:80",
    ],
    [
      "that Consul fills in",
      { TaggedAddresses: { wan_ipv4: { Address: "1.2.3.4", Port: 80 } } },
      {},
      "1.2.3.4:80",
    ],
    [
      "of the node when the service has no address",
      { Address: "" },
      { TaggedAddresses: { wan: "5.6.7.8" } },
      "5.6.7.8:80",
    ],
    ["in IPv6", { TaggedAddresses: { wan: { Address: "::2", Port: 81 } } }, {}, "[::2]:81"],
  ])("takes a tagged address %s", (_what, service, node, address) => {
    expect(addressesOf([entry(service, node)], { ...ASKED, taggedAddress: "wan" })).toEqual([address]);
  });

  it("leaves out an instance without the tagged address, rather than to send calls where they cannot go", () => {
    const answer = readConsulAnswer([entry({}, { TaggedAddresses: { wan: "5.6.7.8" } })], {
      ...ASKED,
      taggedAddress: "wan",
    });

    expect(answer).toEqual({ endpoints: [], problems: ['entry 0 ("w1") has no address with the tag "wan"'] });
  });

  it("keeps Consul's order, which says what is near", () => {
    const far = entry({ ID: "far", Address: "10.0.0.9" });

    expect(addressesOf([far, entry()])).toEqual(["10.0.0.9:80", "10.0.0.1:80"]);
  });

  it("lets the first of two with the same address win", () => {
    const answer = readConsulAnswer([entry({ Weights: { Passing: 3 } }), entry({ ID: "w2" })], ASKED);

    expect(answer.endpoints).toMatchObject([{ address: "10.0.0.1:80", weight: 3 }]);
    expect(answer.problems).toEqual(['entry 1 ("w2") repeats the address 10.0.0.1:80']);
  });
});

describe("readConsulAnswer: states and weights (D37)", () => {
  const weighted = (statuses: readonly unknown[]) =>
    entry({ Weights: { Passing: 10, Warning: 2 } }, {}, statuses);

  it.each([
    ["the passing weight when all checks pass", ["passing", "passing"], [10]],
    ["the warning weight when one of them warns", ["passing", "warning"], [2]],
    ["nothing when one of them is critical", ["warning", "critical", "passing"], []],
    ["nothing in a state that is not known", ["passing", "odd"], []],
    ["the passing weight without any check", [], [10]],
  ])("gives %s", (_what, statuses, weights) => {
    const { endpoints, problems } = readConsulAnswer([weighted(statuses)], ALSO_WARNING);

    expect(endpoints.map(({ weight }) => weight)).toEqual(weights);
    expect(problems).toEqual([]);
  });

  it("leaves out what warns unless it is wanted, even if Consul sends it", () => {
    expect(addressesOf([weighted(["warning"])])).toEqual([]);
  });

  it("leaves out an instance of weight 0, which is meant", () => {
    const answer = readConsulAnswer(
      [entry({ Weights: { Passing: 1, Warning: 0 } }, {}, ["warning"])],
      ALSO_WARNING,
    );

    expect(answer).toEqual({ endpoints: [], problems: [] });
  });

  it.each([[undefined], [{}], [null]])("takes 1 for the weights %j", (Weights) => {
    expect(readConsulAnswer([entry({ Weights })], ASKED)).toMatchObject({
      endpoints: [{ weight: 1 }],
      problems: [],
    });
  });

  it.each([[-1], ["9"], [65_536], [Number.NaN], [{}]])(
    "takes 1 for the weight %j, and says so",
    (Passing) => {
      const answer = readConsulAnswer([entry({ Weights: { Passing } })], ASKED);

      expect(answer.endpoints).toMatchObject([{ weight: 1 }]);
      expect(answer.problems).toHaveLength(1);
    },
  );
});

describe("readConsulAnswer: what is known of an endpoint", () => {
  it("hands metadata, tags, node and datacentre to the picker", () => {
    const [endpoint] = readConsulAnswer(
      [entry({ Tags: ["v2", "eu"], Meta: { version: "2.1" } })],
      ASKED,
    ).endpoints;

    expect(endpoint?.metadata).toEqual({
      version: "2.1",
      "consul.tags": "v2,eu",
      "consul.node": "n1",
      "consul.datacenter": "dc1",
      "consul.id": "w1",
    });
  });

  it.each([
    [
      "the service's locality",
      { Locality: { Zone: "z1" }, Meta: { zone: "z3" } },
      { Locality: { Zone: "z2" } },
      "z1",
    ],
    ["the node's locality", { Meta: { zone: "z3" } }, { Locality: { Zone: "z2" } }, "z2"],
    ["the service's metadata", { Meta: { zone: "z3" } }, { Meta: { zone: "z4" } }, "z3"],
    ["the node's metadata", {}, { Meta: { zone: "z4" } }, "z4"],
  ])("takes the zone from %s", (_what, service, node, zone) => {
    expect(readConsulAnswer([entry(service, node)], ASKED).endpoints).toMatchObject([{ zone }]);
  });

  it("has no zone when nobody names one", () => {
    expect(readConsulAnswer([entry()], ASKED).endpoints[0]).not.toHaveProperty("zone");
  });

  it("is called by the name of the service, unless that cannot be an authority", () => {
    const nameOf = (service: string) =>
      readConsulAnswer([entry()], { ...ASKED, service }).endpoints[0]?.serverName;

    expect([nameOf("web"), nameOf("web shop"), nameOf("a/b")]).toEqual(["web", undefined, undefined]);
  });

  it("drops metadata that is no text, and takes any key", () => {
    const Meta = JSON.parse('{"a":1,"b":null,"c":{},"__proto__":"p","d":"x"}');

    const [endpoint] = readConsulAnswer([entry({ Meta })], ASKED).endpoints;

    expect(Object.keys(endpoint?.metadata ?? {})).toEqual([
      "__proto__",
      "d",
      "consul.tags",
      "consul.node",
      "consul.datacenter",
      "consul.id",
    ]);
  });
});

describe("readConsulAnswer: entries that are no use", () => {
  it.each([
    ["no object", 7, "entry 0 has no Service"],
    ["null", null, "entry 0 has no Service"],
    ["a list for a service", { Service: [] }, "entry 0 has no Service"],
    ["port 0", entry({ Port: 0 }), 'entry 0 ("w1") has the port 0; allowed are 1 to 65535'],
    ["no port", entry({ Port: undefined }), 'entry 0 ("w1") has the port 0; allowed are 1 to 65535'],
    [
      "a port that is too high",
      entry({ Port: 99_999 }),
      'entry 0 ("w1") has the port 99999; allowed are 1 to 65535',
    ],
    ["half a port", entry({ Port: 80.5 }), 'entry 0 ("w1") has the port 80.5; allowed are 1 to 65535'],
    ["a text for a port", entry({ Port: "80" }), 'entry 0 ("w1") has the port "80"; allowed are 1 to 65535'],
    [
      "no address at all",
      entry({ Address: "" }, { Address: "" }),
      'entry 0 ("w1") has no address, and neither has its node',
    ],
    [
      "an address that is none",
      entry({ Address: "10.0.0.256" }),
      'entry 0 ("w1") has the address "10.0.0.256", which is neither an IP address nor a host name',
    ],
    [
      "a socket path for an address",
      entry({ Address: "unix" }),
      'entry 0 ("w1") has the address "unix", which is neither an IP address nor a host name',
    ],
  ])("says what is wrong with %s, and uses the others", (_what, bad, problem) => {
    const answer = readConsulAnswer([bad, entry({ ID: "good" })], ASKED);

    expect(answer.problems).toEqual([problem]);
    expect(answer.endpoints).toMatchObject([{ address: "10.0.0.1:80" }]);
  });

  it("tells once what several have wrong, and names the first of them", () => {
    const body = ["r1", "r2", "r3", "r4", "r5"].map((ID, i) => entry({ ID, Address: `10.0.0.${i + 1}` }));
    const odd = entry({ ID: "odd", TaggedAddresses: { wan: { Address: "1.2.3.4", Port: 0 } }, Port: 0 });

    const { problems } = readConsulAnswer([...body, odd], { ...ASKED, taggedAddress: "wan" });

    expect(problems).toEqual([
      'each of 5 entries out of 6 has no address with the tag "wan": 0 ("r1"), 1 ("r2"), 2 ("r3") and 2 more',
      'entry 5 ("odd") has the port 0; allowed are 1 to 65535',
    ]);
  });

  it("names both of two that have the same mistake", () => {
    const { problems } = readConsulAnswer([entry({ Port: 0 }), entry(), entry({ ID: "w2", Port: 0 })], ASKED);

    expect(problems).toEqual([
      'each of 2 entries out of 3 has the port 0; allowed are 1 to 65535: 0 ("w1"), 2 ("w2")',
    ]);
  });

  it.each([
    [undefined, "Consul answered with nothing; allowed: an array"],
    [null, "Consul answered with nothing; allowed: an array"],
    [{}, "Consul answered with an object; allowed: an array"],
    ["[]", "Consul answered with a string; allowed: an array"],
  ])("refuses an answer that is no array: %j", (body, message) => {
    expect(() => readConsulAnswer(body, ASKED)).toThrow(message);
  });

  it("takes ten thousand instances", () => {
    const body = Array.from({ length: 10_000 }, (_, i) =>
      entry({ ID: `w${i}`, Address: `10.1.${i >> 8}.${i & 255}` }),
    );

    expect(readConsulAnswer(body, ASKED).endpoints).toHaveLength(10_000);
  });
});

describe("readConsulAnswer: whatever comes", () => {
  const KEYS = [
    "Node",
    "Service",
    "Checks",
    "Address",
    "Port",
    "Meta",
    "Tags",
    "Weights",
    "Passing",
    "Warning",
  ];
  const MORE_KEYS = ["Status", "TaggedAddresses", "Locality", "Zone", "wan", "ID", "__proto__", "zone"];
  const values = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom("passing", "warning", "critical", "10.0.0.1", "::1", "", 0, 1, 80, -1, 1e9),
      fc.string(),
      fc.double(),
      fc.constantFrom(null, true),
      fc.array(tie("value"), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom(...KEYS, ...MORE_KEYS), tie("value"), { maxKeys: 6 }),
    ),
  })).value;
  /** Near the real thing, so that the fuzz gets beyond the first check. */
  const spoiled = fc
    .tuple(
      fc.dictionary(fc.constantFrom(...KEYS, ...MORE_KEYS), values),
      fc.dictionary(fc.string(), values),
      values,
    )
    .map(([service, node, checks]) => ({
      ...entry(service, node),
      ...(checks !== null && { Checks: checks }),
    }));

  it("never throws for an array, and every endpoint can be dialled", () => {
    const asked = fc.record({
      service: fc.string(),
      isPassingOnly: fc.boolean(),
      taggedAddress: fc.constantFrom(null, "wan", "__proto__", "toString"),
    });
    fc.assert(
      fc.property(fc.array(fc.oneof(values, spoiled), { maxLength: 5 }), asked, (body, question) => {
        const { endpoints, problems } = readConsulAnswer(JSON.parse(JSON.stringify(body)), question);

        for (const { address, weight = 1 } of endpoints) {
          expect(parseAddress(address)).toBeTypeOf("object");
          expect(weight).toBeGreaterThan(0);
        }
        expect(new Set(endpoints.map(({ address }) => address)).size).toBe(endpoints.length);
        expect(problems.every((problem) => problem.length < 400)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});
