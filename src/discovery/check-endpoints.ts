import { z } from "zod";
import {
  canonicalAddress,
  describeIssues,
  type Endpoint,
  parseAddress,
  problemsError,
} from "../core/index.js";

/** A share of less than a millionth is as good as none. */
const MAX_WEIGHT = 1_000_000;
/** More are not looked for: each takes time, and a long list may be wrong as a whole. */
const MAX_PROBLEMS = 100;
/** Characters of a wrong entry that an error tells. */
const MAX_SHOWN = 80;

const endpointSchema = z.strictObject({
  address: z.string(),
  serverName: z.string().min(1).optional(),
  isProxied: z.boolean().optional(),
  priority: z.int().min(0).optional(),
  weight: z.number().gt(0).max(MAX_WEIGHT).optional(),
  zone: z.string().min(1).optional(),
  hashKey: z.string().min(1).optional(),
  metadata: z.record(z.string(), z.string()).optional(),
});

/** A list of endpoints, or everything that is wrong with it. */
export interface EndpointList {
  readonly endpoints: readonly Endpoint[];
  readonly problems: readonly string[];
}

/**
 * An endpoint set pushed by hand: addresses, or objects with one.
 * @throws ResilienceError `CONFIG_INVALID` naming every bad or repeated entry, by its place and its address
 */
export function checkEndpoints(given: unknown): readonly Endpoint[] {
  const { endpoints, problems } = endpointProblems(given);
  if (Array.isArray(given) && given.length === 0) {
    throw problemsError("updateEndpoints", ["the list is empty; allowed: one address or more"]);
  }
  if (problems.length > 0) throw problemsError("updateEndpoints", problems);
  return endpoints;
}

/** Reads a list of addresses, or of objects with one, wherever it comes from. It may be empty. */
export function endpointProblems(given: unknown): EndpointList {
  if (!Array.isArray(given)) {
    return { endpoints: [], problems: [`the list is ${shown(given)}; allowed: an array of addresses`] };
  }
  const set = new Map<string, Endpoint>();
  const problems: string[] = [];
  for (const [index, entry] of given.entries()) {
    if (problems.length >= MAX_PROBLEMS) {
      problems.push(`endpoints.${index} and what follows, ${given.length - index} in all, were not read`);
      // A part of a list would look like one from which the rest has gone.
      return { endpoints: [], problems };
    }
    const found = problemsOf(entry, set);
    problems.push(...found.map((problem) => `endpoints.${index}, ${shown(entry)}: ${problem}`));
  }
  return { endpoints: [...set.values()], problems };
}

/** Adds a good entry to the set. @returns what is wrong with a bad one */
function problemsOf(entry: unknown, set: Map<string, Endpoint>): readonly string[] {
  const result = endpointSchema.safeParse(typeof entry === "string" ? { address: entry } : entry, {
    reportInput: true,
  });
  if (!result.success) return describeIssues(result.error.issues, endpointSchema, entry, "the entry");
  const parsed = parseAddress(result.data.address);
  if (typeof parsed === "string") return [`the address ${JSON.stringify(result.data.address)} ${parsed}`];
  const address = canonicalAddress(parsed);
  if (set.has(address)) return [`${address} is listed twice`];
  set.set(address, { ...(result.data as Endpoint), address });
  return [];
}

/** An entry by its address; of anything else no more than a reader needs to find it. */
function shown(value: unknown): string {
  if (typeof value === "string") return JSON.stringify(value.slice(0, MAX_SHOWN));
  if (typeof value !== "object" || value === null) {
    return typeof value === "function" ? "a function" : String(value).slice(0, MAX_SHOWN);
  }
  if (Array.isArray(value)) return "an array";
  const address: unknown = Reflect.get(value, "address");
  return typeof address === "string" ? shown(address) : "an object";
}
