import { isIPv6 } from "node:net";
import { canonicalAddress, type Endpoint, parseAddress } from "../../core/index.js";
import { ProblemGroups, shortList } from "../problem-list.js";
import type { ConsulTarget } from "../target-kinds.js";

/** What an answer of Consul's health endpoint says. */
export interface ConsulAnswer {
  /** In Consul's order, each address once. */
  readonly endpoints: readonly Endpoint[];
  /** What could not be used, and why: one sentence for all entries with the same mistake. */
  readonly problems: readonly string[];
}

type Fields = Readonly<Record<string, unknown>>;
type Asked = Pick<ConsulTarget, "service" | "isPassingOnly" | "taggedAddress">;

/** Consul's own bound for weights. */
const MAX_WEIGHT = 65_535;
const MAX_SHOWN = 80;
/** What can stand in `:authority`; other names of services are not sent as such. */
const AUTHORITY = /^(?!-)[A-Za-z0-9_.-]{1,253}$/;

/**
 * Endpoints of an answer, whatever stands in it: an entry that is no use is left out and told. One that is critical, under
 * maintenance or of weight 0 is left out as well, which is no problem.
 * @throws Error when it is no array
 */
export function readConsulAnswer(body: unknown, asked: Asked): ConsulAnswer {
  if (!Array.isArray(body)) throw new Error(`Consul answered with ${kindOf(body)}; allowed: an array`);
  const endpoints = new Map<string, Endpoint>();
  const problems = new ProblemGroups();
  body.forEach((entry: unknown, index) => {
    const tell = (problem: string) => problems.add(problem, `${index}${nameOf(entry)}`);
    const read = readEntry(entry, asked, tell);
    if (read === null) return;
    if (endpoints.has(read.address)) tell(`repeats the address ${read.address}`);
    else endpoints.set(read.address, read);
  });
  const told = problems.told((where, problem) =>
    where.length === 1
      ? `entry ${where[0]} ${problem}`
      : `each of ${where.length} entries out of ${body.length} ${problem}: ${shortList(where)}`,
  );
  return { endpoints: [...endpoints.values()], problems: told };
}

/** @returns null for an entry that is left out */
function readEntry(entry: unknown, asked: Asked, tell: (problem: string) => void): Endpoint | null {
  const service = fieldsOf(entry, "Service");
  if (service === null) {
    tell("has no Service");
    return null;
  }
  const state = stateOf(entry);
  if (state === "critical" || (state === "warning" && asked.isPassingOnly)) return null;
  const weight = weightOf(service, state, tell);
  if (weight === 0) return null;
  const node = fieldsOf(entry, "Node") ?? {};
  const address = addressOf(service, node, asked.taggedAddress);
  if (!address.ok) {
    tell(address.problem);
    return null;
  }
  const zone = zoneOf(service, node);
  return {
    address: address.address,
    weight,
    ...(AUTHORITY.test(asked.service) && { serverName: asked.service }),
    ...(zone !== "" && { zone }),
    metadata: metadataOf(service, node),
  };
}

/** The worst of all checks, those of the node included; a state that is not known counts as critical. */
function stateOf(entry: unknown): "passing" | "warning" | "critical" {
  const checks = (entry as Fields)["Checks"];
  const states = Array.isArray(checks) ? checks.map((check: unknown) => textOf(check, "Status")) : [];
  if (states.some((state) => state !== "passing" && state !== "warning")) return "critical";
  return states.includes("warning") ? "warning" : "passing";
}

function weightOf(service: Fields, state: "passing" | "warning", tell: (problem: string) => void): number {
  const weight = fieldsOf(service, "Weights")?.[state === "passing" ? "Passing" : "Warning"];
  if (weight === undefined) return 1;
  if (typeof weight === "number" && weight >= 0 && weight <= MAX_WEIGHT) return weight;
  tell(`has the weight ${shown(weight)}, for which 1 is taken; allowed are 0 to ${MAX_WEIGHT}`);
  return 1;
}

type Address =
  | { readonly ok: true; readonly address: string }
  | { readonly ok: false; readonly problem: string };

function addressOf(service: Fields, node: Fields, tag: string | null): Address {
  const found = tag === null ? ownAddress(service, node) : taggedAddress(service, node, tag);
  if (found === null) return { ok: false, problem: `has no address with the tag ${JSON.stringify(tag)}` };
  const { host, port } = found;
  if (host === "") return { ok: false, problem: "has no address, and neither has its node" };
  if (typeof port !== "number" || !Number.isInteger(port) || port < 1 || port > 65_535) {
    return { ok: false, problem: `has the port ${shown(port ?? 0)}; allowed are 1 to 65535` };
  }
  const parsed = parseAddress(isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`);
  if (typeof parsed === "object" && parsed.kind === "tcp")
    return { ok: true, address: canonicalAddress(parsed) };
  return {
    ok: false,
    problem: `has the address ${shown(host)}, which is neither an IP address nor a host name`,
  };
}

interface Found {
  readonly host: string;
  readonly port: unknown;
}

function ownAddress(service: Fields, node: Fields): Found {
  return { host: textOf(service, "Address") || textOf(node, "Address"), port: service["Port"] };
}

/**
 * The service's tagged address; its node's where the service has no address of its own. Consul itself names `wan_ipv4`
 * where nobody has named `wan`.
 */
function taggedAddress(service: Fields, node: Fields, tag: string): Found | null {
  const ofService = fieldsOf(service, "TaggedAddresses") ?? {};
  const ofNode = textOf(service, "Address") === "" ? (fieldsOf(node, "TaggedAddresses") ?? {}) : {};
  for (const name of [tag, `${tag}_ipv4`, `${tag}_ipv6`]) {
    const own = fieldsOf(ofService, name);
    if (own !== null) return { host: textOf(own, "Address"), port: own["Port"] || service["Port"] };
    const host = textOf(ofNode, name);
    if (host !== "") return { host, port: service["Port"] };
  }
  return null;
}

function zoneOf(service: Fields, node: Fields): string {
  return (
    textOf(fieldsOf(service, "Locality"), "Zone") ||
    textOf(fieldsOf(node, "Locality"), "Zone") ||
    textOf(fieldsOf(service, "Meta"), "zone") ||
    textOf(fieldsOf(node, "Meta"), "zone")
  );
}

/** What a user's picker may go by: what was registered, and where it runs. Nothing that changes by itself. */
function metadataOf(service: Fields, node: Fields): Readonly<Record<string, string>> {
  const meta = Object.entries(fieldsOf(service, "Meta") ?? {});
  const tags = Array.isArray(service["Tags"]) ? service["Tags"] : [];
  return Object.fromEntries([
    ...meta.filter((pair): pair is [string, string] => typeof pair[1] === "string"),
    ["consul.tags", tags.filter((tag) => typeof tag === "string").join(",")],
    ["consul.node", textOf(node, "Node")],
    ["consul.datacenter", textOf(node, "Datacenter")],
    ["consul.id", textOf(service, "ID")],
  ]);
}

function fieldsOf(value: unknown, key: string): Fields | null {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return null;
  const inner = (value as Fields)[key];
  return typeof inner === "object" && inner !== null && !Array.isArray(inner) ? (inner as Fields) : null;
}

/** Empty where there is none. */
function textOf(value: unknown, key: string): string {
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, key)) return "";
  const text = (value as Fields)[key];
  return typeof text === "string" ? text : "";
}

/** How to find the entry again. */
function nameOf(entry: unknown): string {
  const id = textOf(fieldsOf(entry, "Service"), "ID");
  return id === "" ? "" : ` (${JSON.stringify(id.slice(0, MAX_SHOWN))})`;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return "nothing";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

function shown(value: unknown): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "an array" : "an object";
  return String(JSON.stringify(value)).slice(0, MAX_SHOWN);
}
