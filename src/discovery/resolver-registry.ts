import { Subscription, saidBy } from "../core/index.js";
import type { Resolver, ResolverDeps } from "./resolver.js";
import { type CustomTarget, type InvalidTarget, refuse, type SplitTarget } from "./target-kinds.js";

/** A target of a registered scheme, cut at its seams. */
export interface ResolverTarget {
  readonly scheme: string;
  /** What stands between `//` and the next slash; empty for none. */
  readonly authority: string;
  /** The rest, without the slash at its beginning, as it was written: `?` and `#` are part of it. */
  readonly path: string;
  /** The whole target; it stands in errors and statistics, so a secret belongs elsewhere. */
  readonly canonical: string;
}

/** Makes resolvers for the targets of one scheme. */
export interface ResolverFactory {
  /** What is wrong with a target: sentences for an error. Absent when every target will do. */
  check?(target: ResolverTarget): readonly string[];
  /**
   * Asked once for each channel and each time it wakes from idling; does no I/O. What it throws is a failure of the target
   * until then; so is what the resolver throws in `start`.
   */
  create(target: ResolverTarget, deps: Pick<ResolverDeps, "clock" | "random" | "env">): Resolver;
}

const registered = new Map<string, ResolverFactory>();
/** The factory that read a target, which makes its resolvers also when the scheme has been taken away. */
const readBy = new WeakMap<CustomTarget, ResolverFactory>();

/** Schemes that mean something already, to us or to gRPC. */
const TAKEN = [
  "static",
  "ipv4",
  "ipv6",
  "unix",
  "unix-abstract",
  "vsock",
  "dns",
  "consul",
  "etcd",
  "file",
  "passthrough",
  "xds",
  "grpclb",
  "http",
  "https",
];

/**
 * Makes targets of a scheme of one's own resolvable, for channels made from then on: `scheme://authority/path`. The
 * guards against empty and shrinking answers stand before this resolver as before any other; endpoints that are none
 * count as a failure of it.
 *
 * @returns disposing takes the scheme away again; channels that have it keep it
 * @throws TypeError for a scheme that is taken, or is none: lower-case letters, digits, `+`, `-` and `.`
 */
export function registerResolver(scheme: string, factory: ResolverFactory): Subscription {
  if (!/^[a-z][a-z0-9+.-]{0,63}$/.test(scheme)) {
    throw new TypeError(
      `registerResolver: ${JSON.stringify(scheme)} is no scheme; allowed: a-z, 0-9, +, - and ., a letter first`,
    );
  }
  if (TAKEN.includes(scheme) || registered.has(scheme))
    throw new TypeError(`registerResolver: the scheme ${scheme} is taken`);
  if (typeof factory?.create !== "function") {
    throw new TypeError(`registerResolver: the factory of ${scheme} has no function create`);
  }
  registered.set(scheme, factory);
  return new Subscription(() => registered.delete(scheme));
}

export function registeredSchemes(): readonly string[] {
  return [...registered.keys()];
}

export function isRegistered(scheme: string): boolean {
  return registered.has(scheme);
}

/** Reads a target of a registered scheme; what its own check says decides. */
export function parseCustomTarget({ scheme, authority, path }: SplitTarget): CustomTarget | InvalidTarget {
  const canonical = `${scheme}:${authority === null ? "" : `//${authority}/`}${path}`;
  const target = { scheme, authority: authority ?? "", path, canonical };
  const factory = registered.get(scheme);
  const problems = problemsOf(target, factory);
  if (problems.length > 0) return refuse(...problems);
  const parsed: CustomTarget = {
    ok: true,
    scheme: "custom",
    name: scheme,
    authority: target.authority,
    path,
    canonical,
  };
  if (factory !== undefined) readBy.set(parsed, factory);
  return parsed;
}

/** @throws whatever its factory throws */
export function createCustomResolver(target: CustomTarget, deps: ResolverDeps): Resolver {
  const { name: scheme, authority, path, canonical } = target;
  const factory = readBy.get(target) ?? registered.get(scheme);
  if (factory === undefined) throw new Error(`the scheme ${scheme} is not registered any more`);
  const { clock, random, env } = deps;
  return factory.create({ scheme, authority, path, canonical }, { clock, random, env });
}

function problemsOf(target: ResolverTarget, factory: ResolverFactory | undefined): readonly string[] {
  try {
    // Somebody else's: one sentence does for a list of them.
    return [factory?.check?.(target) ?? []].flat().map(String);
  } catch (error) {
    const quoted = JSON.stringify(target.canonical);
    return [
      `the target ${quoted} could not be checked by the resolver of ${target.scheme}: ${saidBy(error)}`,
    ];
  }
}
