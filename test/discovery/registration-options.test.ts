import { describe, expect, it } from "vitest";
import { parseOptions } from "../../src/core/index.js";
import { serviceOptionsSchema } from "../../src/discovery/registration-options.js";

const ADDRESS = "10.0.0.5:50051";

function parsed(given: object) {
  return parseOptions(serviceOptionsSchema, { address: ADDRESS, ...given }, "registerService");
}

function problemOf(given: object): string {
  try {
    parsed(given);
  } catch (error) {
    return String(error);
  }
  throw new Error("it was taken");
}

describe("a service as it is given", () => {
  it("needs its address only", () => {
    expect(parsed({})).toEqual({
      address: ADDRESS,
      weight: 1,
      tags: [],
      metadata: {},
      check: { ttlMs: 15_000 },
      failFast: false,
    });
  });

  it("has the one spelling of its address", () => {
    expect(parsed({ address: "[2001:DB8:0:0::5]:50051" }).address).toBe("[2001:db8::5]:50051");
    expect(parsed({ address: "Users.Internal:1" }).address).toBe("users.internal:1");
  });

  it("has a check by gRPC with times of its own", () => {
    expect(parsed({ check: { grpc: true } }).check).toEqual({
      healthService: null,
      tls: false,
      tlsServerName: null,
      intervalMs: 10_000,
      timeoutMs: 10_000,
    });
    expect(parsed({ check: { grpc: "users.Users", intervalMs: 2_000 } }).check).toMatchObject({
      healthService: "users.Users",
      intervalMs: 2_000,
      timeoutMs: 2_000,
    });
    expect(parsed({ check: { grpc: true, intervalMs: 60_000 } }).check).toMatchObject({ timeoutMs: 10_000 });
  });

  it.each([
    [{ address: "0.0.0.0:50051" }, 'address is "0.0.0.0:50051": it names every interface of a machine'],
    [
      { address: "[::]:50051" },
      "it names every interface of a machine and no machine; write the one that clients reach",
    ],
    [
      { address: "unix:/run/users" },
      "it is a socket path, which no other machine can reach; write host:port",
    ],
    [{ address: "10.0.0.5" }, "it has no port; write host:port"],
    [{ address: "10.0.0.5:0" }, 'it has the port "0"; allowed are 1 to 65535'],
    [{ address: undefined }, "1 problem: address: missing; write host:port, as clients reach it"],
    [{ address: 5 }, "1 problem: address is 5: allowed: host:port, as clients reach it"],
    [{ id: "a/b" }, 'id is "a/b"; allowed: 1 to 200 characters, without / " ` \\ and control characters'],
    [{ id: 'a"b' }, "allowed: 1 to 200 characters"],
    [{ id: "" }, "allowed: 1 to 200 characters"],
    [{ weight: 0 }, "weight is 0; allowed: 1 or more"],
    [{ weight: 1.5 }, "weight is 1.5"],
    [{ weight: 65_536 }, "weight is 65536; allowed: 65535 or less"],
    [{ warningWeight: -1 }, "warningWeight is -1; allowed: 0 or more"],
    [{ tags: [""] }, "tags.0"],
    [{ metadata: { build: 7 } }, "metadata.build is 7; allowed: a value of type string"],
    [{ zone: "a", metadata: { zone: "b" } }, "zone"],
    [{ check: {} }, "check.ttlMs: missing; give ttlMs or grpc"],
    [{ check: { ttlMs: 10_000, grpc: true } }, "check.ttlMs is 10000: set beside grpc; give one of them"],
    [{ check: { ttlMs: 999 } }, "check.ttlMs is 999; allowed: 1000 or more"],
    [
      { check: { ttlMs: 5_000, intervalMs: 5_000 } },
      "check.intervalMs is 5000: set without grpc, for which alone it is",
    ],
    [{ check: { grpc: false } }, "check.grpc"],
    [
      { check: { grpc: "" } },
      '1 problem: check.grpc is "": true stands for the server as a whole; write that, or a name',
    ],
    [
      { check: { grpc: true, intrvalMs: 5 } },
      "check.intrvalMs is not a known key (did you mean intervalMs?)",
    ],
    [{ deregisterAfterMs: 59_999 }, "deregisterAfterMs is 59999; allowed: 60000 or more"],
    [{ wieght: 2 }, "wieght is not a known key (did you mean weight?)"],
  ])("is refused as %j", (given, text) => {
    expect(problemOf(given)).toContain(text);
  });

  it("is refused with all problems at once", () => {
    const problem = problemOf({ address: "10.0.0.5", weight: 0, check: {}, tag: "v2" });

    expect(problem).toMatch(/4 problems: .*address.*weight.*check\.ttlMs.*tag is not a known key/);
  });
});
