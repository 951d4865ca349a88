import { parseAddress } from "../../core/index.js";
import type { ServiceStatus } from "../registration.js";
import type { ResolvedServiceOptions } from "../registration-options.js";
import type { ConsulTarget } from "../target-kinds.js";

/** Consul's own limits for what it calls Meta. */
const MAX_META = 64;
const META_KEY = /^[A-Za-z0-9_-]{1,128}$/;
const MAX_META_BYTES = 512;
/** The least that Consul heeds, and less than it takes to look. */
const DEREGISTER_AFTER_MS = 60_000;

/** What stands in Consul by default: its own place again after a restart, and another one for each address. */
export function consulServiceId(target: ConsulTarget, { id, address }: ResolvedServiceOptions): string {
  // A name with such characters would tear the filter apart by which the service is found again.
  return id ?? `${target.service}-${address}`.replace(/[/"`\\\p{Cc}]/gu, "-");
}

/** One check for each service, by the id that Consul itself would give it, so that one way of checking replaces the other. */
export function consulCheckId(serviceId: string): string {
  return `service:${serviceId}`;
}

/** What Consul would not take, and what of the target means nothing where one registers. */
export function consulServiceProblems(
  target: ConsulTarget,
  service: ResolvedServiceOptions | null,
): readonly string[] {
  const asked: readonly (readonly [boolean, string])[] = [
    [target.tags.length > 0, "tag: tags stand in the service"],
    [target.datacenter !== null, "dc: an agent registers in its own datacentre"],
    [target.failover.length > 0, "failover"],
    [target.near !== null, "near"],
    [!target.isPassingOnly, "passing"],
    [target.consistency !== "default", "consistency"],
    [target.taggedAddress !== null, "address: it stands in the service"],
    [target.filter !== null, "filter"],
  ];
  const { canonical } = target;
  return [
    ...asked.flatMap(([isSet, what]) =>
      isSet ? [`the target ${canonical} has what is only for asking, ${what}; leave it out to register`] : [],
    ),
    ...(service === null ? [] : metaProblems(metaOf(service))),
  ];
}

function metaProblems(meta: Readonly<Record<string, string>>): string[] {
  const entries = Object.entries(meta);
  const problems: string[] = [];
  if (entries.length > MAX_META) {
    problems.push(`metadata has ${entries.length} entries, the zone included; Consul takes ${MAX_META}`);
  }
  for (const [key, value] of entries) {
    const shown = JSON.stringify(key.slice(0, 80));
    if (!META_KEY.test(key)) {
      problems.push(`metadata has the key ${shown}; Consul takes letters, digits, - and _, 128 at most`);
    }
    const bytes = Buffer.byteLength(value);
    if (bytes > MAX_META_BYTES) {
      problems.push(`the metadata of ${shown} is ${bytes} bytes long; Consul takes ${MAX_META_BYTES}`);
    }
  }
  return problems;
}

/** The zone goes where every version of Consul keeps it, and takes it without a region. */
function metaOf({ metadata, zone }: ResolvedServiceOptions): Readonly<Record<string, string>> {
  return zone === undefined ? metadata : { ...metadata, zone };
}

/**
 * The service in Consul's own words; all of them, as the package `consul` drops some.
 *
 * @param status of the check until Consul hears or finds out; null for Consul's own, critical
 */
export function consulDefinition(
  target: ConsulTarget,
  service: ResolvedServiceOptions,
  status: ServiceStatus | null,
): Readonly<Record<string, unknown>> {
  const id = consulServiceId(target, service);
  const address = parseAddress(service.address);
  if (typeof address === "string" || address.kind !== "tcp")
    throw new Error(`the address ${service.address} is none`);
  return {
    Name: target.service,
    ID: id,
    Address: address.host,
    Port: address.port,
    Tags: service.tags,
    Meta: metaOf(service),
    Weights: { Passing: service.weight, Warning: service.warningWeight ?? 1 },
    EnableTagOverride: false,
    Check: {
      CheckID: consulCheckId(id),
      ...checkOf(service),
      ...(status !== null && { Status: status }),
      ...deregisterAfter(service),
    },
  };
}

function checkOf({ check, address }: ResolvedServiceOptions): Readonly<Record<string, unknown>> {
  if ("ttlMs" in check) return { TTL: `${check.ttlMs}ms` };
  const { healthService, tls, tlsServerName, intervalMs, timeoutMs } = check;
  return {
    GRPC: healthService === null ? address : `${address}/${healthService}`,
    GRPCUseTLS: tls,
    ...(tlsServerName !== null && { TLSServerName: tlsServerName }),
    Interval: `${intervalMs}ms`,
    Timeout: `${timeoutMs}ms`,
  };
}

function deregisterAfter({ deregisterAfterMs }: ResolvedServiceOptions): Readonly<Record<string, unknown>> {
  if (deregisterAfterMs === null) return {};
  return { DeregisterCriticalServiceAfter: `${deregisterAfterMs ?? DEREGISTER_AFTER_MS}ms` };
}
