import { type IncomingHttpHeaders, request } from "node:http";
import type { ConsulNode } from "../../scripts/consul-cluster.mjs";

const TIMEOUT_MS = 10_000;

/** A service as Consul's agent registers it: Consul's own keys, those that tests use. */
export interface ConsulService {
  readonly Name: string;
  readonly ID?: string;
  readonly Address?: string;
  readonly Port?: number;
  readonly Tags?: readonly string[];
  readonly Meta?: Readonly<Record<string, string>>;
  readonly Weights?: { readonly Passing: number; readonly Warning: number };
  readonly TaggedAddresses?: Readonly<Record<string, { readonly Address: string; readonly Port: number }>>;
  readonly EnableTagOverride?: boolean;
  readonly Check?: Readonly<Record<string, unknown>>;
  readonly Checks?: readonly Readonly<Record<string, unknown>>[];
}

/** An entry of the catalog, for services on other nodes than the agent's own; the agent leaves those alone. */
export interface ConsulCatalogEntry {
  readonly Node: string;
  readonly Address: string;
  readonly NodeMeta?: Readonly<Record<string, string>>;
  readonly Service?: Omit<ConsulService, "Name" | "Check" | "Checks"> & { readonly Service: string };
  readonly Checks?: readonly {
    readonly Name: string;
    readonly CheckID: string;
    readonly Status: ConsulStatus;
    readonly ServiceID?: string;
  }[];
}

export type ConsulStatus = "passing" | "warning" | "critical";

/** One entry of `/v1/health/service`, as far as tests read it. */
export interface ConsulHealthEntry {
  readonly Node: { readonly Node: string; readonly Address: string; readonly Datacenter: string };
  readonly Service: Required<Omit<ConsulService, "Name" | "Check" | "Checks">> & { readonly Service: string };
  readonly Checks: readonly { readonly CheckID: string; readonly Status: ConsulStatus }[];
}

export interface ConsulAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/**
 * What a test does to Consul: services come and go, checks turn. No part of Holdfast, so that both are not wrong in the
 * same way. Every request has a connection of its own.
 */
export class ConsulApi {
  readonly #node: Pick<ConsulNode, "httpAddress" | "token">;

  constructor(node: Pick<ConsulNode, "httpAddress" | "token">) {
    this.#node = node;
  }

  /** Registers a service, or changes it, at the agent; it is in the catalog when this resolves, if there is a leader. */
  async register(service: ConsulService): Promise<void> {
    await this.#put("/v1/agent/service/register", service);
  }

  /** Takes a service away at the agent. */
  async deregister(id: string): Promise<void> {
    await this.#put(`/v1/agent/service/deregister/${encodeURIComponent(id)}`);
  }

  /** Turns a TTL check, whose id is `service:ID` unless it has one of its own. */
  async setCheck(id: string, status: ConsulStatus, output = ""): Promise<void> {
    await this.#put(`/v1/agent/check/update/${encodeURIComponent(id)}`, { Status: status, Output: output });
  }

  /** Puts a service under maintenance, by which it is critical, or ends that. */
  async maintain(serviceId: string, isOn: boolean): Promise<void> {
    await this.#put(`/v1/agent/service/maintenance/${encodeURIComponent(serviceId)}?enable=${isOn}`);
  }

  async registerInCatalog(entry: ConsulCatalogEntry): Promise<void> {
    await this.#put("/v1/catalog/register", entry);
  }

  /** A node with all it has, or one service of it. */
  async deregisterInCatalog(entry: { readonly Node: string; readonly ServiceID?: string }): Promise<void> {
    await this.#put("/v1/catalog/deregister", entry);
  }

  /** What `/v1/health/service` answers, and at which index. The query is Consul's own: `passing&tag=a`. */
  async health(
    service: string,
    query = "",
  ): Promise<{ readonly index: number; readonly entries: readonly ConsulHealthEntry[] }> {
    const path = `/v1/health/service/${encodeURIComponent(service)}?${query}`;
    const { text, headers } = await this.#expectOk("GET", path);
    return { index: Number(headers["x-consul-index"]), entries: JSON.parse(text) };
  }

  /** Makes a token that allows what the rules say, in Consul's own language: `service "echo" { policy = "read" }`. */
  async createToken(rules: string): Promise<{ readonly secret: string; readonly accessor: string }> {
    const policy = await this.#put("/v1/acl/policy", { Name: `policy-${crypto.randomUUID()}`, Rules: rules });
    const { ID } = JSON.parse(policy.text) as { ID: string };
    const token = await this.#put("/v1/acl/token", { Policies: [{ ID }] });
    const { SecretID, AccessorID } = JSON.parse(token.text) as { SecretID: string; AccessorID: string };
    return { secret: SecretID, accessor: AccessorID };
  }

  async deleteToken(accessor: string): Promise<void> {
    await this.#expectOk("DELETE", `/v1/acl/token/${accessor}`);
  }

  /** Any request, with the node's own token; resolves whatever the status is. */
  request(method: string, path: string, body?: unknown): Promise<ConsulAnswer> {
    const { httpAddress, token } = this.#node;
    return new Promise((resolve, reject) => {
      const headers = token === undefined ? {} : { "x-consul-token": token };
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const options = { method, headers, agent: false, signal };
      const sent = request(`http://${httpAddress}${path}`, options, (response) => {
        let text = "";
        response.setEncoding("utf8").on("data", (part: string) => {
          text += part;
        });
        response.on("error", reject).on("end", () => {
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
        });
      });
      sent.on("error", reject).end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  #put(path: string, body?: unknown): Promise<ConsulAnswer> {
    return this.#expectOk("PUT", path, body);
  }

  async #expectOk(method: string, path: string, body?: unknown): Promise<ConsulAnswer> {
    const answer = await this.request(method, path, body);
    if (answer.status === 200) return answer;
    throw new Error(`Consul answered ${method} ${path} with ${answer.status}: ${answer.text}`);
  }
}

/** A check that only `setCheck` turns: it outlives every test. */
export function ttlCheck(id: string, status: ConsulStatus = "passing"): Readonly<Record<string, unknown>> {
  return { CheckID: id, Name: id, TTL: "1h", Status: status };
}
