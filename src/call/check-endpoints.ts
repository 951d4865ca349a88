import { canonicalAddress, type Endpoint, parseAddress, problemsError } from "../core/index.js";

/**
 * An endpoint set pushed by hand.
 * @throws ResilienceError `CONFIG_INVALID` naming every bad or repeated address
 */
export function checkEndpoints(endpoints: unknown): Endpoint[] {
  const problems: string[] = [];
  const set = new Map<string, Endpoint>();
  if (!Array.isArray(endpoints))
    problems.push(`the list is ${typeof endpoints}; allowed: an array of addresses`);
  else if (endpoints.length === 0) problems.push("the list is empty; allowed: one address or more");
  for (const entry of Array.isArray(endpoints) ? endpoints : []) {
    const endpoint = asEndpoint(entry);
    const problem = endpoint === null ? "is neither an address nor an object with one" : add(set, endpoint);
    if (problem !== null) problems.push(`the entry ${JSON.stringify(entry)} ${problem}`);
  }
  if (problems.length > 0) throw problemsError("updateEndpoints", problems);
  return [...set.values()];
}

function add(set: Map<string, Endpoint>, endpoint: Endpoint): string | null {
  const parsed = parseAddress(endpoint.address);
  if (typeof parsed === "string") return parsed;
  const address = canonicalAddress(parsed);
  if (set.has(address)) return `is listed twice, as ${address}`;
  set.set(address, { ...endpoint, address });
  return null;
}

function asEndpoint(entry: unknown): Endpoint | null {
  if (typeof entry === "string") return { address: entry };
  const isEndpoint =
    typeof entry === "object" && entry !== null && typeof Reflect.get(entry, "address") === "string";
  return isEndpoint ? (entry as Endpoint) : null;
}
