import { suggest } from "../core/index.js";
import type { KnownMethods } from "./rpc-kind.js";

/**
 * What is wrong with the keys of `methods`: a method that its service, whose definition is known, does not have would
 * be configured in vain. Of services without a known definition nothing can be said.
 */
export function unknownMethods(names: readonly string[], known: KnownMethods): readonly string[] {
  return names.flatMap((name) => {
    const [service = "", method] = name.split("/");
    const methods = known.methodsOf(service);
    if (method === undefined || methods === null || methods.includes(method)) return [];
    return [`methods.${name}: ${service} has no such method${suggest(method, methods)}`];
  });
}

/** The keys of `methods` in options that may be anything. */
export function methodNames(options: unknown): readonly string[] {
  const { methods } = (options ?? {}) as { methods?: unknown };
  return typeof methods === "object" && methods !== null ? Object.keys(methods) : [];
}
