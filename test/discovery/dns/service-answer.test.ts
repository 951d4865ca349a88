import { describe, expect, it } from "vitest";
import {
  endpointsAt,
  proxiedEndpoint,
  saysNoService,
  serviceTargets,
} from "../../../src/discovery/dns/service-answer.js";

function record(name: string, weight = 0, priority = 0, port = 50051) {
  return { name, weight, priority, port };
}

describe("serviceTargets", () => {
  it("names host, port, priority and weight, the most preferred first", () => {
    expect(serviceTargets([record("B.test.", 3, 20, 2), record("a.test", 5, 10, 1)])).toEqual([
      { host: "a.test", port: 1, priority: 10, weight: 5 },
      { host: "b.test", port: 2, priority: 20, weight: 3 },
    ]);
  });

  it("shares equally where all of a priority have the weight 0", () => {
    const targets = serviceTargets([record("a.test"), record("b.test"), record("c.test", 9, 1)]);

    expect(targets.map(({ weight }) => weight)).toEqual([1, 1, 9]);
  });

  it("gives a weight of 0 a very small share beside others", () => {
    const targets = serviceTargets([record("a.test", 0), record("b.test", 1)]);

    expect(targets.map(({ weight }) => weight)).toEqual([0.1, 1]);
  });

  it.each([
    ["the host .", record(".")],
    ["no host", record("")],
    ["a port of 0", record("a.test", 0, 0, 0)],
    ["a host that is none", record("a b")],
    ["a host with what would end a header", record("a\r\nb")],
  ])("leaves a record with %s out", (_, bad) => {
    const targets = serviceTargets([bad, record("good.test")]);

    expect(targets.map(({ host }) => host)).toEqual(["good.test"]);
  });
});

describe("saysNoService", () => {
  it.each([
    [[record(".")], true],
    [[record("")], true],
    [[record("."), record("a.test")], false],
    [[], false],
  ])("of %j is %s", (records, expected) => {
    expect(saysNoService(records)).toBe(expected);
  });
});

describe("endpointsAt", () => {
  const target = { host: "a.test", port: 50051, priority: 2, weight: 6 };

  it("goes by the host of the record, with its port", () => {
    expect(endpointsAt(target, ["10.0.0.1"])).toEqual([
      { address: "10.0.0.1:50051", serverName: "a.test:50051", priority: 2, weight: 6 },
    ]);
  });

  it("shares the weight among the addresses, so that a second family does not double the calls", () => {
    const endpoints = endpointsAt(target, ["10.0.0.1", "10.0.0.1", "fd00::1"]);

    expect(endpoints.map(({ weight }) => weight)).toEqual([3, 3]);
  });

  it("is nothing for a host without addresses", () => {
    expect(endpointsAt(target, [])).toEqual([]);
  });
});

describe("proxiedEndpoint", () => {
  it("leaves the name to the proxy", () => {
    expect(proxiedEndpoint({ host: "a.test", port: 5, priority: 0, weight: 1 })).toEqual({
      address: "a.test:5",
      serverName: "a.test:5",
      isProxied: true,
      priority: 0,
      weight: 1,
    });
  });
});
