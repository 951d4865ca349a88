import { channel as diagnosticsChannel } from "node:diagnostics_channel";
import type {
  CallOptions,
  ChannelCredentials,
  ClientOptions,
  ClientUnaryCall,
  ServiceError,
  StatusObject,
} from "@grpc/grpc-js";
import { status } from "@grpc/grpc-js";
import {
  type ChannelCollaborators,
  type ChannelOptions,
  createChannel,
  type FailureReport,
  type ResilientChannel,
  stubFor,
} from "holdfast";
import { afterEach, beforeEach } from "vitest";
import { type CallResult, CounterClient, counterClient, unary } from "./counter-service.js";
import { CountingServer, type CountingServerOptions } from "./counting-server.js";
import { EventLog } from "./event-log.js";
import { FaultProxy } from "./fault-proxy.js";
import { FrozenProcess } from "./frozen-process.js";
import { type LeakBaseline, leakBaseline } from "./leak-check.js";
import { type RawHandler, type RawHttp2Options, RawHttp2Server } from "./raw-http2-server.js";

interface Closable {
  close(): unknown;
}

/** A hardened client with everything a test looks at. */
export interface Hardened {
  readonly channel: ResilientChannel;
  readonly client: CounterClient;
  readonly events: EventLog;
}

/** A server behind a fault proxy. `address` is the proxy's. */
export interface Proxied {
  readonly server: CountingServer;
  readonly proxy: FaultProxy;
  readonly address: string;
}

/**
 * Where one test plays: it makes servers, proxies and clients, and after each test closes them, the newest first, and
 * proves that no socket, timer, listener or hook is left.
 */
export class Stage {
  #open: Closable[] = [];

  constructor() {
    let baseline: LeakBaseline;
    beforeEach(async () => {
      this.#open = [];
      baseline = await leakBaseline({ process });
    });
    afterEach(async () => {
      for (const thing of this.#open.reverse()) await thing.close();
      await baseline.expectClean();
      if (diagnosticsChannel("net.client.socket").hasSubscribers) throw new Error("a dial is still hooked");
    });
  }

  /** Closes this when the test is over. */
  use<T extends Closable>(thing: T): T {
    this.#open.push(thing);
    return thing;
  }

  async server(options: CountingServerOptions = {}): Promise<CountingServer> {
    return this.use(await CountingServer.start(options));
  }

  async raw(handler: RawHandler, options: RawHttp2Options = {}): Promise<RawHttp2Server> {
    return this.use(await RawHttp2Server.start(handler, options));
  }

  async child(): Promise<FrozenProcess> {
    return this.use(await FrozenProcess.start());
  }

  async proxy(port: number): Promise<FaultProxy> {
    return this.use(await FaultProxy.start(port));
  }

  /** A server behind a fault proxy. */
  async proxied(options: CountingServerOptions = {}): Promise<Proxied> {
    const server = await this.server(options);
    const proxy = await this.proxy(server.port);
    return { server, proxy, address: proxy.address };
  }

  /** A hardened client in plaintext, unless the options say otherwise. */
  harden(
    target: string | readonly { readonly address: string }[],
    options: ChannelOptions = {},
    collaborators: ChannelCollaborators = {},
  ): Hardened {
    const isSecured = options.credentials !== undefined || options.tls !== undefined;
    const security = isSecured ? {} : { insecure: true };
    const channel = createChannel(targetOf(target), { ...security, ...options }, collaborators);
    this.use({ close: () => channel.close({ drainMs: 0 }) });
    return { channel, client: stubFor(CounterClient, channel), events: new EventLog(channel) };
  }

  /** The same, with every one of these endpoints connected. */
  async warm(
    endpoints: readonly { readonly address: string }[],
    options?: ChannelOptions,
  ): Promise<Hardened> {
    const hardened = this.harden(endpoints, options);
    hardened.channel.getConnectivityState(true);
    await hardened.events.ready(...endpoints.map(({ address }) => address));
    return hardened;
  }

  /** Bare grpc-js with nothing but `round_robin` over the endpoints, or what `serviceConfig` says. */
  bare(
    endpoints: readonly { readonly address: string }[],
    serviceConfig: object = { loadBalancingConfig: [{ round_robin: {} }] },
    options: ClientOptions = {},
  ): CounterClient {
    return this.use(
      counterClient(`ipv4:${endpoints.map(({ address }) => address).join(",")}`, {
        "grpc.service_config": JSON.stringify(serviceConfig),
        "grpc.service_config_disable_resolution": 1,
        ...options,
      }),
    );
  }

  /** Bare grpc-js with credentials of its own. */
  bareWith(target: string, credentials: ChannelCredentials, options: ClientOptions = {}): CounterClient {
    return this.use(
      new CounterClient(target, credentials, { "grpc.use_local_subchannel_pool": 1, ...options }),
    );
  }
}

function targetOf(target: string | readonly { readonly address: string }[]): string {
  if (typeof target === "string") return target;
  return `static:///${target.map(({ address }) => address).join(",")}`;
}

/** A unary call with the handle to cancel it. */
export function startUnary(client: CounterClient, options: CallOptions = {}) {
  let call!: ClientUnaryCall;
  const result = new Promise<CallResult>((resolve) => {
    call = client.unary(Buffer.from("x"), options, (error, answer) =>
      resolve(error === null ? { ok: true, text: String(answer) } : { ok: false, error }),
    );
  });
  return { call, result };
}

/** Calls until every one of these servers has been reached: then a bare client is connected to all of them. */
export async function reachAll(client: CounterClient, servers: readonly CountingServer[]): Promise<void> {
  const before = servers.map(({ executions }) => executions.Unary);
  while (servers.some(({ executions }, index) => executions.Unary === before[index])) {
    const result = await unary(client, "reach all");
    if (!result.ok) throw result.error;
  }
}

/** The error of a call that must fail, with Holdfast's report on it. */
export function failureOf(result: CallResult): ServiceError & FailureReport {
  if (result.ok) throw new Error(`the call was to fail, but it answered ${JSON.stringify(result.text)}`);
  return result.error as ServiceError & FailureReport;
}

/** A call's end in three words: `"UNAVAILABLE CONNECTION_LOST maybe"`, or `"OK"`. */
export function ending(result: CallResult | StatusObject): string {
  if ("ok" in result) return result.ok ? "OK" : inWords(result.error);
  return result.code === status.OK ? "OK" : inWords(result);
}

function inWords(error: StatusObject | ServiceError): string {
  const { reason, processed } = error as Partial<FailureReport>;
  const code = status[error.code];
  return reason === undefined ? String(code) : `${code} ${reason} ${processed}`;
}

/** Ends of many calls, counted: `{ OK: 18, "UNAVAILABLE ...": 2 }`. */
export function endings(results: readonly (CallResult | StatusObject)[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const result of results) counts[ending(result)] = (counts[ending(result)] ?? 0) + 1;
  return counts;
}
