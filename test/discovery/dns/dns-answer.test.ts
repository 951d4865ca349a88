import { describe, expect, it } from "vitest";
import { endpointsOf } from "../../../src/discovery/dns/dns-answer.js";

function addressesOf(...answer: string[]): string[] {
  return endpointsOf("users", 50051, answer).map((endpoint) => endpoint.address);
}

describe("endpointsOf", () => {
  it("makes one endpoint per address and keeps the name for TLS and authority", () => {
    expect(endpointsOf("users", 50051, ["10.0.0.1", "fd00::1"])).toEqual([
      { address: "10.0.0.1:50051", serverName: "users" },
      { address: "[fd00::1]:50051", serverName: "users" },
    ]);
  });

  it.each([
    ["4466", ["10.0.0.1", "10.0.0.2", "::1", "::2"], ["10.0.0.1", "[::1]", "10.0.0.2", "[::2]"]],
    ["6644", ["::1", "::2", "10.0.0.1", "10.0.0.2"], ["[::1]", "10.0.0.1", "[::2]", "10.0.0.2"]],
    ["4446", ["10.0.0.1", "10.0.0.2", "10.0.0.3", "::1"], ["10.0.0.1", "[::1]", "10.0.0.2", "10.0.0.3"]],
    ["466", ["10.0.0.1", "::1", "::2"], ["10.0.0.1", "[::1]", "[::2]"]],
    ["44", ["10.0.0.2", "10.0.0.1"], ["10.0.0.2", "10.0.0.1"]],
  ])("alternates the families of an answer like %s, the first one leading", (_, answer, expected) => {
    expect(addressesOf(...answer)).toEqual(expected.map((host) => `${host}:50051`));
  });

  it("drops an address that comes twice, so that it gets no double share (R110)", () => {
    expect(addressesOf("FD00::1", "10.0.0.1", "fd00::1", "10.0.0.1")).toEqual([
      "[fd00::1]:50051",
      "10.0.0.1:50051",
    ]);
  });
});
