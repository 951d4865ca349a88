import type { HostLookup } from "../../../src/core/index.js";
import { discoveryOptionsSchema } from "../../../src/discovery/discovery-options.js";
import { DnsResolver } from "../../../src/discovery/dns/dns-resolver.js";
import type { DnsTarget } from "../../../src/discovery/target-kinds.js";
import { ManualClock } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import { noChannel } from "../no-channel.js";
import { RecordingListener } from "../recording-listener.js";
import type { ScriptedLookup } from "./scripted-lookup.js";

const TARGET: DnsTarget = {
  ok: true,
  scheme: "dns",
  host: "users",
  port: 50051,
  servers: [],
  canonical: "dns:///users:50051",
  defaultAuthority: "users:50051",
};
/** The address before the service moves, the one after it, and no answer at all. */
export const OLD = ["10.0.0.1"];
export const NEW = ["10.0.0.2"];
export const DOWN = new Error("the name server is down");

/** A resolver of `dns:///users:50051` whose backoff rolls no jitter. */
export function makeDnsResolver(lookup: HostLookup, clock: ManualClock, options = {}): DnsResolver {
  const deps = { clock, random: fixedRandom(0.5), lookup, env: {}, openChannel: noChannel };
  return new DnsResolver(TARGET, deps, discoveryOptionsSchema.parse(options));
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
