import { configInvalid, describeIssues, problemsError } from "../core/index.js";
import { ConsulRegistrar } from "./consul/consul-registration.js";
import { consulServiceProblems } from "./consul/consul-registration-definition.js";
import {
  type DiscoveryOptions,
  discoveryOptionsSchema,
  type ResolvedDiscoveryOptions,
} from "./discovery-options.js";
import { etcdRegistrar } from "./etcd/etcd-registration.js";
import {
  type Registrar,
  type RegistrarDeps,
  type Registration,
  RegistrationRefused,
} from "./registration.js";
import { unreachableError } from "./registration-errors.js";
import { KeptRegistration } from "./registration-keeper.js";
import {
  type ResolvedServiceOptions,
  type ServiceOptions,
  serviceOptionsSchema,
  type TtlCheck,
} from "./registration-options.js";
import { parseTarget } from "./target.js";
import type { ConsulTarget, EtcdTarget } from "./target-kinds.js";

/**
 * Puts a service into a registry, where clients find it by the same target, and keeps it there until `close()`: its check
 * is kept passing, and it is registered again when the registry has forgotten it. Register a server once it listens.
 *
 * Resolves when the first attempt is over, however it ended: a registry that is away is asked again and again, with
 * backoff, and `stats()` tells; see `failFast`.
 *
 * @param target `consul://host:8500/service` or `etcd://host:2379/prefix`
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem of what was given, also where the registry itself
 *   refuses it; `DISCOVERY_FAILED` with `failFast`, where the registry was not reached
 */
export async function registerService(
  target: string,
  service: ServiceOptions,
  options: DiscoveryOptions,
  deps: RegistrarDeps,
): Promise<Registration> {
  const { registrar, failFast, closeMs } = checked(target, service, options, deps);
  const registration = new KeptRegistration(registrar, deps, closeMs);
  const error = await registration.start();
  if (error === null) return registration;
  const what = `${registrar.id} was not registered at ${registrar.target}`;
  if (error instanceof RegistrationRefused) {
    registration.abandon();
    throw configInvalid(`registerService: ${what}: ${error.message}`, error);
  }
  if (failFast) {
    // The attempt may have arrived although no answer has.
    await registration.close();
    throw unreachableError(what, error);
  }
  process.emitWarning(`${what}, which is tried again and again: ${error.message}`, {
    type: "HoldfastWarning",
    code: "HOLDFAST_NOT_REGISTERED",
  });
  return registration;
}

interface Checked {
  readonly registrar: Registrar;
  readonly failFast: boolean;
  readonly closeMs: number;
}

/** @throws ResilienceError `CONFIG_INVALID` that lists the problems of all three */
function checked(target: unknown, service: unknown, options: unknown, deps: RegistrarDeps): Checked {
  const place = typeof target === "string" ? parseTarget(target) : null;
  const who = serviceOptionsSchema.safeParse(service, { reportInput: true });
  const how = discoveryOptionsSchema.safeParse(options, { reportInput: true });
  const problems = [
    ...(place === null ? [`target is ${target === null ? "null" : typeof target}; allowed: a string`] : []),
    ...(place?.ok === false ? place.problems : []),
    ...(who.success ? [] : describeIssues(who.error.issues, serviceOptionsSchema, service, "service")),
    ...(how.success ? [] : describeIssues(how.error.issues, discoveryOptionsSchema, options, "discovery")),
  ];
  const given = who.success ? who.data : null;
  if (place?.ok === true) {
    if (place.scheme === "consul") problems.push(...consulServiceProblems(place, given));
    else if (place.scheme === "etcd") problems.push(...(given === null ? [] : etcdServiceProblems(given)));
    else
      problems.push(
        `nothing can be registered at ${place.canonical}; allowed: consul:// and etcd:// targets`,
      );
  }
  if (problems.length > 0 || given === null || !how.success) throw problemsError("registerService", problems);
  const registrar = registrarOf(place as ConsulTarget | EtcdTarget, given, how.data, deps);
  return { registrar, failFast: given.failFast, closeMs: how.data.lookupTimeoutMs };
}

function registrarOf(
  place: ConsulTarget | EtcdTarget,
  service: ResolvedServiceOptions,
  options: ResolvedDiscoveryOptions,
  deps: RegistrarDeps,
): Registrar {
  if (place.scheme === "consul") return new ConsulRegistrar(place, service, options, deps);
  // Any other check has been refused.
  const check = service.check as TtlCheck;
  return etcdRegistrar(place, { ...service, check }, options, deps);
}

/** Etcd knows leases and no states: what is only for Consul is not taken in silence. */
function etcdServiceProblems({ check, warningWeight, deregisterAfterMs }: ResolvedServiceOptions): string[] {
  return [
    ...("ttlMs" in check ? [] : ["check.grpc: etcd asks no service how it is; give check.ttlMs"]),
    ...(warningWeight === undefined ? [] : ["warningWeight: etcd knows no state warning; leave it out"]),
    ...(deregisterAfterMs === undefined
      ? []
      : ["deregisterAfterMs: etcd takes a service out when its TTL is over; leave it out"]),
  ];
}
