import { describe, expect, it } from "vitest";
import type { Endpoint } from "../../src/core/index.js";
import { createResolver } from "../../src/discovery/create-resolver.js";
import { discoveryOptionsSchema, parseTarget, type ResolverDeps } from "../../src/discovery/index.js";
import { ManualClock } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";
import { ScriptedLookup } from "./dns/scripted-lookup.js";
import { noChannel } from "./no-channel.js";
import { RecordingListener } from "./recording-listener.js";

const PROXY = { http_proxy: "http://proxy:3128", no_proxy: ".svc" };

function make(target: string, env: ResolverDeps["env"] = {}) {
  const parsed = parseTarget(target);
  if (!parsed.ok || parsed.scheme === "passthrough") throw new Error(JSON.stringify(parsed));
  const names = ScriptedLookup.always(["10.0.0.1"]);
  const clock = new ManualClock();
  const deps = { clock, random: fixedRandom(0.5), lookup: names.lookup, env, openChannel: noChannel };
  return { parsed, names, clock, deps };
}

async function resolve(target: string, env: ResolverDeps["env"] = {}) {
  const { parsed, names, clock, deps } = make(target, env);
  const listener = new RecordingListener();
  const resolver = createResolver(parsed, deps, discoveryOptionsSchema.parse({}));
  resolver.start(listener);
  await clock.advance(0);
  resolver.close();
  return { target: resolver.target, endpoints: listener.sets[0], asked: names.asked };
}

describe("createResolver", () => {
  it.each<[string, Endpoint[]]>([
    ["static:///A:1,unix:/s", [{ address: "a:1" }, { address: "unix:/s" }]],
    ["ipv4:1.2.3.4:5,1.2.3.5:5", [{ address: "1.2.3.4:5" }, { address: "1.2.3.5:5" }]],
    ["ipv6:[::1]:5", [{ address: "[::1]:5" }]],
    ["unix:///tmp/s", [{ address: "unix:/tmp/s" }]],
    ["dns:///1.2.3.4:5", [{ address: "1.2.3.4:5" }]],
    ["[::1]", [{ address: "[::1]:443" }]],
  ])("reports %s without a lookup", async (target, endpoints) => {
    const resolved = await resolve(target);

    expect(resolved.endpoints).toEqual(endpoints);
    expect(resolved.asked).toEqual([]);
  });

  it("looks a name up", async () => {
    const resolved = await resolve("users:50051");

    expect(resolved.asked).toEqual(["users"]);
    expect(resolved.endpoints).toEqual([{ address: "10.0.0.1:50051", serverName: "users:50051" }]);
  });

  it("calls the resolver by the canonical target", async () => {
    expect((await resolve("Users:50051")).target).toBe("dns:///users:50051");
    expect((await resolve("static:///A:1")).target).toBe("static:///a:1");
  });

  it("leaves a name to the proxy that carries its connections", async () => {
    const resolved = await resolve("users:50051", PROXY);

    expect(resolved.asked).toEqual([]);
    expect(resolved.endpoints).toEqual([
      { address: "users:50051", serverName: "users:50051", isProxied: true },
    ]);
  });

  it("looks up a name that is exempt from the proxy", async () => {
    const resolved = await resolve("users.svc:50051", PROXY);

    expect(resolved.endpoints).toEqual([{ address: "10.0.0.1:50051", serverName: "users.svc:50051" }]);
  });

  it("decides about the proxy for each address of a list, and never for a socket path", async () => {
    const resolved = await resolve("static:///a:1,b.svc:2,1.2.3.4:3,unix:/s", PROXY);

    expect(resolved.endpoints).toEqual([
      { address: "a:1", isProxied: true },
      { address: "b.svc:2" },
      { address: "1.2.3.4:3", isProxied: true },
      { address: "unix:/s" },
    ]);
  });

  it("matches exemptions against the host as written, as grpc-js does", async () => {
    const resolved = await resolve("static:///Users:1", { ...PROXY, no_proxy: "Users" });

    expect(resolved.endpoints).toEqual([{ address: "users:1" }]);
  });

  it("hands the options on", async () => {
    const { parsed, names, clock, deps } = make("users:50051");
    const resolver = createResolver(
      parsed,
      deps,
      discoveryOptionsSchema.parse({ minIntervalMs: 200, lookupTimeoutMs: 300 }),
    );
    resolver.start(new RecordingListener());
    await clock.advance(0);

    resolver.refresh();
    await clock.advance(200);

    expect(names.asked).toHaveLength(2);
    resolver.close();
  });
});
