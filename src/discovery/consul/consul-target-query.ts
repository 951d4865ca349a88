import { suggest } from "../../core/index.js";
import type { ConsulTarget } from "../target-kinds.js";

/** What the query of a `consul:` target says. */
export type ConsulQuery = Omit<ConsulTarget, "ok" | "scheme" | "canonical" | "agent" | "service">;

interface Parameter {
  readonly allowed: string;
  readonly pattern: RegExp;
}

const NAME: Parameter = { allowed: "letters, digits, - and _", pattern: /^[A-Za-z0-9_-]{1,128}$/ };
const TEXT: Parameter = {
  allowed: "1 to 4,096 characters, none of them a control character",
  pattern: /^[^\p{Cc}\p{Cs}]{1,4096}$/u,
};

const PARAMETERS: Readonly<Record<string, Parameter>> = {
  address: NAME,
  consistency: { allowed: "default, stale, consistent", pattern: /^(?:default|stale|consistent)$/ },
  dc: NAME,
  failover: {
    allowed: "datacentres separated by commas",
    pattern: /^[A-Za-z0-9_-]{1,128}(?:,[A-Za-z0-9_-]{1,128}){0,63}$/,
  },
  filter: TEXT,
  near: { allowed: "the name of a node, or _agent", pattern: /^[A-Za-z0-9_.-]{1,255}$/ },
  ns: NAME,
  partition: NAME,
  passing: { allowed: "true, false", pattern: /^(?:true|false)$/ },
  tag: TEXT,
};

/** What somebody who knows Consul's own API would type. */
const ELSEWHERE: Readonly<Record<string, string>> = {
  consistent: "write consistency=consistent",
  datacenter: "write dc=",
  index: "the resolver asks with an index by itself",
  namespace: "write ns=",
  stale: "write consistency=stale",
  tags: "write tag=, once for each tag",
  token: "a token belongs into discovery.consul, or the environment",
  wait: "set discovery.consul.waitMs",
};

interface ReadQuery {
  readonly query: ConsulQuery;
  readonly problems: readonly string[];
}

/** Reads the part behind the question mark: `name=value`, percent-encoded, separated by `&`. A plus is a plus. */
export function readConsulQuery(text: string): ReadQuery {
  const values = new Map<string, string[]>();
  const problems: string[] = [];
  for (const part of text === "" ? [] : text.split("&")) {
    const pair = readPair(part);
    if (typeof pair === "string") problems.push(pair);
    else values.set(pair.name, [...(values.get(pair.name) ?? []), pair.value]);
  }
  for (const [name, given] of values) problems.push(...repeats(name, given));
  const query = queryOf(values);
  return { query, problems: [...problems, ...datacentreProblems(query)] };
}

/** Sorted by name, without defaults, so that equal questions have one spelling; empty, or with its question mark. */
export function canonicalQuery(query: ConsulQuery): string {
  const pairs: (readonly [string, string | null])[] = [
    ["address", query.taggedAddress],
    ["consistency", query.consistency === "default" ? null : query.consistency],
    ["dc", query.datacenter],
    ["failover", query.failover.length === 0 ? null : query.failover.join(",")],
    ["filter", query.filter],
    ["near", query.near],
    ["ns", query.namespace],
    ["partition", query.partition],
    ["passing", query.isPassingOnly ? null : "false"],
    ...query.tags.map((tag) => ["tag", tag] as const),
  ];
  const written = pairs.flatMap(([name, value]) =>
    value === null ? [] : `${name}=${encodeURIComponent(value).replaceAll("%2C", ",")}`,
  );
  return written.length === 0 ? "" : `?${written.join("&")}`;
}

function readPair(part: string): { readonly name: string; readonly value: string } | string {
  const at = part.indexOf("=");
  const raw = at < 0 ? part : part.slice(0, at);
  const name = decoded(raw) ?? raw;
  const parameter = Object.hasOwn(PARAMETERS, name) ? PARAMETERS[name] : undefined;
  if (parameter === undefined) return unknown(name);
  const value = at < 0 ? null : decoded(part.slice(at + 1));
  const the = `the parameter ${name} of a consul: target`;
  if (at < 0) return `${the} has no value; write ${name}=, allowed: ${parameter.allowed}`;
  if (value === null) return `${the} has a % that begins no code; write a percent sign as %25, and & as %26`;
  if (!parameter.pattern.test(value))
    return `${the} is ${JSON.stringify(value.slice(0, 80))}; allowed: ${parameter.allowed}`;
  return { name, value };
}

/** An unknown parameter's value is not told: it may be a token. */
function unknown(name: string): string {
  const shown = JSON.stringify(name.slice(0, 80));
  const elsewhere = Object.hasOwn(ELSEWHERE, name) ? ` (${ELSEWHERE[name]})` : null;
  return `a consul: target has the unknown parameter ${shown}${elsewhere ?? suggest(name.slice(0, 80), Object.keys(PARAMETERS))}`;
}

function repeats(name: string, given: readonly string[]): string[] {
  const the = `the parameter ${name} of a consul: target`;
  if (name !== "tag") return given.length > 1 ? [`${the} is there ${given.length} times; name it once`] : [];
  const twice = given.filter((tag, index) => given.indexOf(tag) !== index);
  return [...new Set(twice)].map(
    (tag) => `${the} repeats ${JSON.stringify(tag.slice(0, 80))}; name each tag once`,
  );
}

function queryOf(values: ReadonlyMap<string, readonly string[]>): ConsulQuery {
  const one = (name: string) => values.get(name)?.[0] ?? null;
  return {
    tags: [...(values.get("tag") ?? [])].sort(),
    datacenter: one("dc"),
    failover: one("failover")?.split(",") ?? [],
    near: one("near"),
    isPassingOnly: one("passing") !== "false",
    namespace: one("ns"),
    partition: one("partition"),
    consistency: (one("consistency") ?? "default") as ConsulQuery["consistency"],
    taggedAddress: one("address"),
    filter: one("filter"),
  };
}

function datacentreProblems({ datacenter, failover }: ConsulQuery): string[] {
  const all = [...(datacenter === null ? [] : [datacenter]), ...failover];
  const twice = all.filter((name, index) => all.indexOf(name) !== index);
  return [...new Set(twice)].map(
    (name) => `the datacentre ${name} is named twice in dc and failover; name each once`,
  );
}

function decoded(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    return null;
  }
}
