import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { onTestFinished } from "vitest";
import type { Clock } from "../../src/core/index.js";
import { until } from "./event-loop.js";
import { type ConsulFault, spoil } from "./fake-consul-faults.js";
import { FakeConsulRegistry, type FakeInstance } from "./fake-consul-registry.js";

export interface FakeConsulRequest {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly token: string | undefined;
  readonly headers: IncomingMessage["headers"];
  /** By the test's clock. */
  readonly atMs: number;
}

const SERVICE_PATH = "/v1/health/service/";
const DEFAULT_WAIT_MS = 300_000;

/**
 * Consul's health endpoint over HTTP, with faults on demand: what `measurements.md` says of the real one, which a test
 * compares it with. Blocking questions wait by the test's clock; the extra sixteenth is left out.
 */
export class FakeConsul {
  readonly registry = new FakeConsulRegistry();
  readonly requests: FakeConsulRequest[] = [];
  /** Questions that wait for a change right now. */
  held = 0;
  /** When set, the only token that is let in. */
  token: string | null = null;
  readonly #server: Server;
  readonly #clock: Clock;
  readonly #sockets = new Set<Socket>();
  readonly #next: ConsulFault[] = [];
  readonly #always = new Map<string, ConsulFault>();

  private constructor(clock: Clock) {
    this.#clock = clock;
    this.#server = createServer((request, response) => this.#onRequest(request, response));
    this.#server.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.#sockets.delete(socket);
      });
    });
  }

  /** Listens on a free port until the running test ends. */
  static async start(clock: Clock): Promise<FakeConsul> {
    const fake = new FakeConsul(clock);
    await new Promise<void>((resolve) => fake.#server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => fake.stop());
    return fake;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Connections open now, as the server sees them. */
  get sockets(): number {
    return this.#sockets.size;
  }

  set(service: string, instances: readonly FakeInstance[], datacenter?: string): void {
    this.registry.set(service, instances, datacenter);
  }

  /** The next questions, one fault each. */
  failNext(...faults: readonly ConsulFault[]): void {
    this.#next.push(...faults);
  }

  /** Every question from now on to a datacentre, or to the agent's own; null ends it. */
  failAlways(fault: ConsulFault | null, datacenter = "dc1"): void {
    if (fault === null) this.#always.delete(datacenter);
    else this.#always.set(datacenter, fault);
  }

  /** Waits until that many questions have arrived. */
  asked(count: number): Promise<void> {
    return until(() => this.requests.length >= count, `question ${count} to the fake Consul`);
  }

  /** Waits until a question is held for a change. */
  holding(): Promise<void> {
    return until(() => this.held > 0, "a blocking question to the fake Consul");
  }

  /** Waits until no connection is open. */
  deserted(): Promise<void> {
    return until(() => this.sockets === 0, "the end of all connections to the fake Consul");
  }

  /** A process that dies, or a proxy that is restarted. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://fake");
    const token = request.headers["x-consul-token"];
    this.requests.push({
      path: pathname,
      query: searchParams,
      headers: request.headers,
      token: typeof token === "string" ? token : undefined,
      atMs: this.#clock.now(),
    });
    this.#answer(request, response, pathname, searchParams);
  }

  #answer(request: IncomingMessage, response: ServerResponse, path: string, query: URLSearchParams): void {
    const fault = this.#next.shift() ?? this.#always.get(query.get("dc") ?? "dc1");
    if (fault !== undefined && spoil(fault, request, response)) return;
    const refused = this.#refusal(path, query, request.headers["x-consul-token"]);
    if (refused !== null) {
      spoil({ kind: "status", status: refused[0], text: refused[1] }, request, response);
      return;
    }
    const service = decodeURIComponent(path.slice(SERVICE_PATH.length));
    const index = Number(query.get("index") ?? 0);
    const mustWait = index > 0 && index >= this.registry.index && fault === undefined;
    if (mustWait) this.#hold(service, query, response);
    else this.#reply(service, query, response, fault);
  }

  /** As the real one refuses, text for text. */
  #refusal(path: string, query: URLSearchParams, token: unknown): readonly [number, string] | null {
    if (!path.startsWith(SERVICE_PATH))
      return [404, "Invalid URL path: not a recognized HTTP API endpoint\n"];
    if (path === SERVICE_PATH) return [400, "Missing service name"];
    if (query.has("stale") && query.has("consistent")) {
      return [400, "Cannot specify ?stale with ?consistent, conflicting semantics."];
    }
    if (query.has("index") && !/^\d+$/.test(query.get("index") ?? "")) return [400, "Invalid index"];
    if (query.has("wait") && waitMsOf(query) === null) return [400, "Invalid wait time"];
    if (this.token !== null && token !== this.token) return [403, "ACL not found"];
    if (!this.registry.knows(query.get("dc") ?? "dc1")) return [500, "No path to datacenter"];
    return null;
  }

  /** The real one wakes for a higher index only, so that one which is too high waits in vain. */
  #hold(service: string, query: URLSearchParams, response: ServerResponse): void {
    this.held++;
    const index = Number(query.get("index"));
    let stopWaiting = () => {};
    const release = () => {
      stopWaiting();
      timer.cancel();
      this.held--;
    };
    const answer = () => {
      release();
      response.off("close", release);
      this.#reply(service, query, response, undefined);
    };
    const wait = () => {
      stopWaiting = this.registry.onChange(() => (this.registry.index > index ? answer() : wait()));
    };
    const timer = this.#clock.setTimer(answer, waitMsOf(query) ?? DEFAULT_WAIT_MS);
    wait();
    response.on("close", release);
  }

  #reply(
    service: string,
    query: URLSearchParams,
    response: ServerResponse,
    fault: ConsulFault | undefined,
  ): void {
    const isBlocking = Number(query.get("index") ?? 0) > 0;
    const index = fault?.kind === "index" ? fault.index : `${this.registry.index}`;
    const headers = {
      "content-type": "application/json",
      ...(index !== null && { "x-consul-index": index }),
      // The real one says so of every blocking question, since its streaming backend answers those.
      "x-consul-knownleader": isBlocking ? "false" : "true",
      "x-consul-query-backend": isBlocking ? "streaming" : "blocking-query",
      "x-consul-lastcontact": "0",
      ...(fault?.kind === "headers" && fault.headers),
    };
    response.writeHead(200, headers);
    const { registry } = this;
    response.end(
      JSON.stringify(isBlocking ? registry.streamed(service, query) : registry.entries(service, query)),
    );
  }
}

/** Consul takes Go's durations; these are the ones that are sent here. */
function waitMsOf(query: URLSearchParams): number | null {
  const [, number, unit] = /^(\d+)(ms|s|m)$/.exec(query.get("wait") ?? "") ?? [];
  if (number === undefined) return null;
  return Number(number) * (unit === "ms" ? 1 : unit === "s" ? 1_000 : 60_000);
}
