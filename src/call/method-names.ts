import { nearestName, suggest } from "../core/index.js";
import type { KnownMethods } from "./rpc-kind.js";
import { warnOnce } from "./warn-once.js";

/**
 * What is wrong with the keys of `methods`: one that names a method with a dot, or that its service, whose definition is
 * known, does not have, would be configured in vain. Of services without a known definition nothing can be said, unless
 * their names are slips for known ones.
 *
 * @param isAll true where calls go to no service but the known ones
 */
export function unknownMethods(
  names: readonly string[],
  known: KnownMethods,
  isAll = false,
): readonly string[] {
  const services = known.services();
  return names.flatMap((name) => {
    const [service = "", method] = name.split("/");
    const methods = services.get(service);
    if (methods === undefined) {
      const meant = method === undefined ? slashedName(name, services, isAll) : null;
      if (meant !== null) return [`methods.${name} names a method; write ${meant}`];
      const near = isAll ? intendedService(service, [...services.keys()]) : null;
      return near === null
        ? []
        : [`methods.${name}: the stub has no service ${service} (did you mean ${near}?)`];
    }
    if (method === undefined || methods.includes(method)) return [];
    return [`methods.${name}: ${service} has no such method${suggest(method, methods)}`];
  });
}

/** The method that a key without a slash names, `package.Service.Method`, or its last name alone; or null. */
function slashedName(
  name: string,
  services: ReadonlyMap<string, readonly string[]>,
  isAll: boolean,
): string | null {
  for (const [service, methods] of services) {
    const meant = methods.find((method) => name === `${service}.${method}` || (isAll && name === method));
    if (meant !== undefined) return `${service}/${meant}`;
  }
  return null;
}

/**
 * The known service that a name is a slip for: misspelt, or without its package. Null for the name of another service:
 * options may be shared by the stubs of one server, and versions of a service, which differ in digits, stand side by side.
 */
function intendedService(name: string, known: readonly string[]): string | null {
  const intended = known.find((service) => service.endsWith(`.${name}`)) ?? nearestName(name, known);
  return intended !== null && withoutDigits(intended) === withoutDigits(name) ? null : intended;
}

function withoutDigits(name: string): string {
  return name.replace(/\d+/g, "");
}

/** The keys of `methods` in options that may be anything. */
export function methodNames(options: unknown): readonly string[] {
  const { methods } = (options ?? {}) as { methods?: unknown };
  return typeof methods === "object" && methods !== null ? Object.keys(methods) : [];
}

/** What configuration says of a method, as far as it matters here. */
interface HedgedMethod {
  readonly hedging?: unknown;
  readonly idempotent?: boolean | undefined;
}

/** Of the keys of `methods` those with hedging that no key calls idempotent: only a definition can let them hedge. */
export function hedgedByDefinition(
  names: readonly string[],
  methods: Readonly<Record<string, HedgedMethod>>,
): readonly string[] {
  const idempotent = Object.keys(methods).filter((name) => methods[name]?.idempotent === true);
  return names.filter((name) => {
    const hedging = methods[name]?.hedging;
    if (hedging === undefined || hedging === false) return false;
    const service = name.split("/")[0];
    return !idempotent.some((said) => said === name || said === service || said.startsWith(`${name}/`));
  });
}

/**
 * Warns of hedging that never happens, once the definition of a stub is known: only idempotent calls are hedged, and
 * most generators drop what the `.proto` says of that.
 *
 * @param defined the methods of the stub alone; of others nothing is known yet
 */
export function warnOfIdleHedging(known: KnownMethods, defined: KnownMethods): void {
  const services = defined.services();
  const idle = known.hedgedByDefinition.filter((name) => {
    const [service = "", method] = name.split("/");
    const methods = method === undefined ? services.get(service) : [method];
    if (methods === undefined || !services.has(service)) return false;
    return !methods.some((each) => known.isIdempotent(`/${service}/${each}`));
  });
  if (idle.length === 0) return;
  const names = idle.join(", ");
  const remedy = "say idempotent: true beside it, if running it twice does no harm";
  warnOnce(
    "HOLDFAST_HEDGING_IDLE",
    `hedging of ${names} does nothing: nothing declares it idempotent; ${remedy}`,
    names,
  );
}
