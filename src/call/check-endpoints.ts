import { z } from "zod";
import {
  canonicalAddress,
  describeIssues,
  type Endpoint,
  parseAddress,
  problemsError,
} from "../core/index.js";

const endpointSchema = z.strictObject({
  address: z.string(),
  serverName: z.string().min(1).optional(),
  isProxied: z.boolean().optional(),
  priority: z.int().min(0).optional(),
  weight: z.number().positive().optional(),
});

/**
 * An endpoint set pushed by hand: addresses, or objects with one.
 * @throws ResilienceError `CONFIG_INVALID` naming every bad or repeated entry
 */
export function checkEndpoints(endpoints: unknown): Endpoint[] {
  const problems: string[] = [];
  const set = new Map<string, Endpoint>();
  if (!Array.isArray(endpoints)) {
    throw problemsError("updateEndpoints", [
      `the list is ${shown(endpoints)}; allowed: an array of addresses`,
    ]);
  }
  if (endpoints.length === 0) problems.push("the list is empty; allowed: one address or more");
  for (const entry of endpoints) {
    const found = problemsOf(entry, set);
    problems.push(...found.map((problem) => `the entry ${shown(entry)}: ${problem}`));
  }
  if (problems.length > 0) throw problemsError("updateEndpoints", problems);
  return [...set.values()];
}

/** Adds a good entry to the set. @returns what is wrong with a bad one */
function problemsOf(entry: unknown, set: Map<string, Endpoint>): readonly string[] {
  const result = endpointSchema.safeParse(typeof entry === "string" ? { address: entry } : entry, {
    reportInput: true,
  });
  if (!result.success) return describeIssues(result.error.issues, endpointSchema, entry);
  const parsed = parseAddress(result.data.address);
  if (typeof parsed === "string") return [`the address ${JSON.stringify(result.data.address)} ${parsed}`];
  const address = canonicalAddress(parsed);
  if (set.has(address)) return [`${address} is listed twice`];
  set.set(address, { ...(result.data as Endpoint), address });
  return [];
}

function shown(value: unknown): string {
  return value === undefined ? "undefined" : JSON.stringify(value);
}
