import { describe, expect, it } from "vitest";
import {
  consulDefinition,
  consulServiceId,
  consulServiceProblems,
} from "../../../src/discovery/consul/consul-registration-definition.js";
import { type ServiceOptions, serviceOptionsSchema } from "../../../src/discovery/registration-options.js";
import { parseTarget } from "../../../src/discovery/target.js";
import type { ConsulTarget } from "../../../src/discovery/target-kinds.js";

function targetOf(text: string): ConsulTarget {
  const parsed = parseTarget(text);
  if (!parsed.ok || parsed.scheme !== "consul") throw new Error(`${text} is no consul: target`);
  return parsed;
}

const users = targetOf("consul://127.0.0.1:8500/users");

function service(given: Partial<ServiceOptions> = {}) {
  return serviceOptionsSchema.parse({ address: "10.0.0.5:50051", ...given });
}

function checkOf(given: Partial<ServiceOptions>, status: "passing" | null = null) {
  return consulDefinition(users, service(given), status)["Check"];
}

describe("a service in Consul's words", () => {
  it("has everything that it was given, in its own place", () => {
    const definition = consulDefinition(
      users,
      service({
        id: "users-1",
        weight: 4,
        warningWeight: 0,
        tags: ["v2"],
        metadata: { build: "7" },
        zone: "eu-1a",
      }),
      "passing",
    );

    expect(definition).toEqual({
      Name: "users",
      ID: "users-1",
      Address: "10.0.0.5",
      Port: 50_051,
      Tags: ["v2"],
      Meta: { build: "7", zone: "eu-1a" },
      Weights: { Passing: 4, Warning: 0 },
      EnableTagOverride: false,
      Check: {
        CheckID: "service:users-1",
        TTL: "15000ms",
        Status: "passing",
        DeregisterCriticalServiceAfter: "60000ms",
      },
    });
  });

  it("goes by the name of the service and its address, so that a restart takes the old place", () => {
    expect(consulServiceId(users, service())).toBe("users-10.0.0.5:50051");
    expect(consulServiceId(users, service({ address: "[2001:DB8:0::5]:1" }))).toBe("users-[2001:db8::5]:1");
    expect(consulServiceId({ ...users, service: 'a"b/c' }, service())).toBe("a-b-c-10.0.0.5:50051");
  });

  it("is taken out after so long in state critical, or never", () => {
    expect(checkOf({ deregisterAfterMs: 90_000 })).toMatchObject({
      DeregisterCriticalServiceAfter: "90000ms",
    });
    expect(checkOf({ deregisterAfterMs: null })).not.toHaveProperty("DeregisterCriticalServiceAfter");
  });

  it("is checked by gRPC at its address, as a whole or for one health service", () => {
    const whole = checkOf({ check: { grpc: true } });
    const one = checkOf({
      check: {
        grpc: "users.Users",
        tls: true,
        tlsServerName: "users.internal",
        intervalMs: 5_000,
        timeoutMs: 900,
      },
    });

    expect(whole).toMatchObject({
      GRPC: "10.0.0.5:50051",
      GRPCUseTLS: false,
      Interval: "10000ms",
      Timeout: "10000ms",
    });
    expect(whole).not.toHaveProperty("Status");
    expect(one).toMatchObject({
      GRPC: "10.0.0.5:50051/users.Users",
      GRPCUseTLS: true,
      TLSServerName: "users.internal",
      Interval: "5000ms",
      Timeout: "900ms",
    });
  });
});

describe("what Consul would not take", () => {
  it("is nothing where all is well", () => {
    const target = targetOf("consul://127.0.0.1:8500/users?ns=team&partition=blue");
    const metadata = Object.fromEntries(
      Array.from({ length: 63 }, (_, at) => [`key-${at}`, "x".repeat(512)]),
    );

    expect(consulServiceProblems(target, service({ metadata, zone: "eu-1a" }))).toEqual([]);
  });

  it("is what stands in a target for asking only", () => {
    const target = targetOf("consul://127.0.0.1:8500/users?tag=v2&dc=dc2&passing=false");

    const problems = consulServiceProblems(target, null);

    expect(problems).toHaveLength(3);
    expect(problems[0]).toContain(
      "has what is only for asking, tag: tags stand in the service; leave it out to register",
    );
    expect(problems[1]).toContain("dc: an agent registers in its own datacentre");
    expect(problems[2]).toContain("passing");
  });

  it("is metadata beyond Consul's limits, of which no value is told", () => {
    const many = Object.fromEntries(Array.from({ length: 64 }, (_, at) => [`key${at}`, ""]));

    expect(consulServiceProblems(users, service({ metadata: many, zone: "a" }))).toEqual([
      "metadata has 65 entries, the zone included; Consul takes 64",
    ]);
    expect(
      consulServiceProblems(users, service({ metadata: { "a b": "x", long: "é".repeat(257) } })),
    ).toEqual([
      'metadata has the key "a b"; Consul takes letters, digits, - and _, 128 at most',
      'the metadata of "long" is 514 bytes long; Consul takes 512',
    ]);
  });
});
