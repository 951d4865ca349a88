import { EventEmitter } from "node:events";
import { Agent as HttpAgent } from "node:http";
import { Agent as HttpsAgent } from "node:https";
import type { Duplex } from "node:stream";
import { saidBy } from "../../core/index.js";
import type { ResolverDeps } from "../resolver.js";
import type { ConsulTarget } from "../target-kinds.js";
import { bareHost, type ConsulAccess, consulAccess } from "./consul-access.js";
import type { ConsulClient, ConsulCommon, ConsulConstructor } from "./consul-client.js";
import type { ResolvedConsulOptions } from "./consul-options.js";
import { RequestEnd } from "./request-end.js";

/** What Consul answered, whatever the status. */
export interface ConsulReply {
  /** Who answered: `http://127.0.0.1:8500`. */
  readonly place: string;
  readonly status: number;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Parsed JSON, or a text; undefined for an empty one. */
  readonly body: unknown;
  /** The body of an error in one line of at most 200 characters, without the token; empty for a status below 300. */
  readonly said: string;
}

/** One call of the package, with the common options spread into its own. */
export type ConsulCall = (consul: ConsulClient, common: ConsulCommon) => Promise<unknown>;

export interface ConsulRequestOptions {
  /** After which the request fails, connection and files included. */
  readonly timeoutMs: number;
  readonly signal?: AbortSignal;
  /** False for a request that may take long and that nobody awaits: it does not keep the process alive. Default true. */
  readonly isAwaited?: boolean;
  /** Put over the JSON that the package sends, for fields that it does not know (`Weights`). */
  readonly body?: Readonly<Record<string, unknown>>;
}

/** Characters of an error's body that are told. */
const MAX_SAID = 200;
/** Ten thousand instances take about a third of it. */
const MAX_ANSWER_BYTES = 33_554_432;
/** OpenSSL's words for an answer that is no TLS; Node's code for it has not always been the same. */
const NO_TLS =
  /wrong version number|packet length too long|unknown protocol|ssl routines:[^:]*:http request/i;
const BAD_JSON = Symbol("no JSON");

/**
 * Requests to one Consul through the package `consul`, which is loaded at the first of them. Each has a connection of its
 * own, so that ending it closes that, and reads token and certificates anew.
 */
export class ConsulHttp {
  constructor(
    private readonly target: Pick<ConsulTarget, "agent" | "namespace" | "partition">,
    private readonly options: ResolvedConsulOptions,
    private readonly deps: Pick<ResolverDeps, "clock" | "env">,
  ) {}

  /**
   * @throws Error where no whole answer came: unreachable, refused certificate, half an answer, no JSON, too late,
   * aborted. No socket and no timer is left then, or after an answer.
   */
  async request(call: ConsulCall, given: ConsulRequestOptions): Promise<ConsulReply> {
    const end = new RequestEnd(this.deps.clock, given);
    try {
      return await Promise.race([this.#send(call, given, end), end.failed]);
    } finally {
      end.dispose();
    }
  }

  async #send(call: ConsulCall, given: ConsulRequestOptions, end: RequestEnd): Promise<ConsulReply> {
    const [access, Consul] = await Promise.all([
      consulAccess(this.target.agent, this.options, this.deps.env),
      loadConsul(),
    ]);
    if (end.isOver) return end.failed;
    const agent = agentOf(access, given.isAwaited ?? true, end);
    const consul = new Consul({
      baseUrl: access.baseUrl,
      agent,
      headers: this.#headers(),
      encoders: { "application/json": (body) => encoded(body, given.body) },
      decoders: { "application/json": decoded },
    });
    const ctx = Object.assign(new EventEmitter(), { includeResponse: true });
    const common = { ctx, ...(access.token !== null && { token: access.token }) };
    const { status, headers, body } = await settled(call(consul, common), access);
    if (body === BAD_JSON)
      throw new Error(`Consul at ${access.place} answered ${status} with a body that is no JSON`);
    return {
      place: access.place,
      status,
      headers,
      body,
      said: status < 300 ? "" : saidIn(body, access.token),
    };
  }

  /** As headers: the package drops the query parameter `ns`, and knows neither where it writes. */
  #headers(): Readonly<Record<string, string>> {
    const { namespace, partition } = this.target;
    return {
      ...(namespace !== null && { "x-consul-namespace": namespace }),
      ...(partition !== null && { "x-consul-partition": partition }),
    };
  }
}

async function loadConsul(): Promise<ConsulConstructor> {
  const { default: Consul } = await import("consul");
  return Consul as unknown as ConsulConstructor;
}

/** An agent whose sockets are known, so that they can be closed, and watched: the package never hears of half an answer. */
function agentOf(access: ConsulAccess, isAwaited: boolean, end: RequestEnd): HttpAgent {
  const agent =
    access.tls === null
      ? new HttpAgent({ keepAlive: false })
      : new HttpsAgent({ ...access.tls, keepAlive: false, maxCachedSessions: 0 });
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = connect({ ...options, host: bareHost(options.host ?? "") }, callback);
    if (socket === null || socket === undefined) return socket;
    end.own(socket);
    if (!isAwaited && "unref" in socket && typeof socket.unref === "function") socket.unref();
    limitAnswer(socket, access, end);
    // The end of a whole answer may be on its way still.
    socket.once("close", () => setImmediate(() => end.fail(cutShort(access))));
    return socket;
  };
  return agent;
}

/** The package keeps whatever comes: a body without end would take the process with it. */
function limitAnswer(socket: Duplex, { place }: ConsulAccess, end: RequestEnd): void {
  let bytes = 0;
  // A client's socket flows anyway, and nothing arrives before HTTP listens, too.
  socket.on("data", (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= MAX_ANSWER_BYTES) return;
    end.fail(new Error(`Consul at ${place} gave an answer of more than ${MAX_ANSWER_BYTES} bytes`));
  });
}

function cutShort({ place }: ConsulAccess): Error {
  return new Error(`Consul at ${place} closed the connection before its answer was whole`);
}

interface Response {
  readonly statusCode?: number;
  readonly headers: ConsulReply["headers"];
  readonly body?: unknown;
}

/** An answer with an error's status is an answer, too. */
async function settled(call: Promise<unknown>, access: ConsulAccess) {
  let response: Response;
  try {
    response = ((await call) as readonly Response[])[0] as Response;
  } catch (error) {
    const answered = (error as { response?: Response } | null)?.response;
    if (answered === undefined) throw new Error(failureText(error, access));
    response = answered;
  }
  return { status: response.statusCode ?? 0, headers: response.headers, body: response.body };
}

const PLAINTEXT =
  "it does not speak TLS on this port; take its HTTPS port, or for plaintext leave out discovery.consul.tls, CONSUL_HTTP_SSL and the https:// of CONSUL_HTTP_ADDR";

/** No cause is kept: the package's errors lead to the request, and so to the token. */
function failureText(error: unknown, { place, token }: ConsulAccess): string {
  const code = (error as { code?: unknown } | null)?.code;
  const said = oneLine(saidBy(error).replace(/^consul: (?:[\w.]+: )?/, ""));
  const text = said || String(code ?? "no reason was given");
  const isPlaintext = place.startsWith("https://") && NO_TLS.test(said);
  const told = isPlaintext ? PLAINTEXT : withoutToken(text, token);
  return `the request to Consul at ${place} failed: ${told}`;
}

function saidIn(body: unknown, token: string | null): string {
  const text = Buffer.isBuffer(body) ? body.toString("utf8") : typeof body === "string" ? body : "";
  return oneLine(withoutToken(text, token)).slice(0, MAX_SAID);
}

function oneLine(text: string): string {
  return text.replace(/\s+/g, " ").trim();
}

function withoutToken(text: string, token: string | null): string {
  if (token === null) return text;
  return text.replaceAll(token, "(token)").replaceAll(encodeURIComponent(token), "(token)");
}

function encoded(body: unknown, more: Readonly<Record<string, unknown>> | undefined): Buffer {
  return Buffer.from(JSON.stringify(more === undefined ? body : { ...(body as object), ...more }));
}

/** Never throws: the package would forget the status. */
function decoded(body: Buffer | string): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return BAD_JSON;
  }
}
