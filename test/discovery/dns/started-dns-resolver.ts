import type { HostLookup } from "../../../src/core/index.js";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { DnsResolver } from "../../../src/discovery/dns/dns-resolver.js";
import type { DnsTarget } from "../../../src/discovery/target-kinds.js";
import { ManualClock } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import { noChannel } from "../no-channel.js";
import { RecordingListener } from "../recording-listener.js";
import type { ScriptedLookup } from "./scripted-lookup.js";
import type { ScriptedQueries } from "./scripted-queries.js";

const TARGET: DnsTarget = {
  ok: true,
  scheme: "dns",
  host: "users",
  port: 50051,
  servers: [],
  canonical: "dns:///users:50051",
  defaultAuthority: "users:50051",
};
/** `dns://10.9.9.9/users:50051` */
export const HOST_TARGET: DnsTarget = {
  ...TARGET,
  servers: ["10.9.9.9:53"],
  canonical: "dns://10.9.9.9:53/users:50051",
};
/** `dns://10.9.9.9/_grpc._tcp.users.test` */
export const SERVICE_TARGET: DnsTarget = {
  ok: true,
  scheme: "dns",
  host: "_grpc._tcp.users.test",
  port: null,
  servers: ["10.9.9.9:53"],
  canonical: "dns://10.9.9.9:53/_grpc._tcp.users.test",
  defaultAuthority: "_grpc._tcp.users.test",
};
/** The address before the service moves, the one after it, and no answer at all. */
export const OLD = ["10.0.0.1"];
export const NEW = ["10.0.0.2"];
export const DOWN = new Error("the name server is down");

/** A resolver of `dns:///users:50051` that rolls no jitter, and asks by itself only after failures. */
export function makeDnsResolver(lookup: HostLookup, clock: ManualClock, options = {}): DnsResolver {
  const deps = { clock, random: fixedRandom(0.5), lookup, env: {}, openChannel: noChannel };
  return new DnsResolver(TARGET, deps, discoveryOptionsSchema.parse({ refreshMs: null, ...options }));
}

/** A started resolver that asks these servers, with the defaults. */
export async function startedWithServers(queries: ScriptedQueries, target: DnsTarget, options = {}) {
  const clock = new ManualClock();
  const listener = new RecordingListener();
  const deps = { clock, random: fixedRandom(0.5), lookup: noLookup, env: {}, openChannel: noChannel };
  const parsed = discoveryOptionsSchema.parse(options);
  const resolver = new DnsResolver(target, deps, parsed, () => queries);
  resolver.start(listener);
  await clock.advance(0);
  return { clock, listener, resolver };
}

async function noLookup(host: string): Promise<readonly string[]> {
  throw new Error(`the system was asked for ${host}`);
}

/** A started resolver after its first lookup had a chance to be answered. */
export async function startedDnsResolver(names: ScriptedLookup, options = {}) {
  const clock = new ManualClock();
  const listener = new RecordingListener();
  const resolver = makeDnsResolver(names.lookup, clock, options);
  resolver.start(listener);
  await clock.advance(0);
  return { clock, listener, resolver, names };
}
