import { experimental, Metadata, status } from "@grpc/grpc-js";
import {
  canonicalAddress,
  type Endpoint,
  parseAddress,
  parseOptions,
  problemsError,
  type SocketAddress,
} from "../core/index.js";
import {
  Discovery,
  type DiscoveryOptions,
  discoveryOptionsSchema,
  parseTarget,
  type ResolvedDiscoveryOptions,
  type ResolvedTarget,
  type ResolverDeps,
  registeredSchemes,
} from "../discovery/index.js";
import { type ChannelCollaborators, resolverDeps } from "./create-channel.js";

/** Those that grpc-js does not have; with the ones of `registerResolver`. */
const OWN_SCHEMES = ["static", "consul", "etcd", "file"];

/**
 * Makes plain grpc-js clients resolve our schemes, for channels made from then on: `static:`, `consul:`, `etcd:`, `file:`,
 * and those that `registerResolver` has been given so far. The guards stand before them; a pool, retries and breakers do
 * not. grpc-js's policies know neither weights nor zones, and priorities are no more than the order of the addresses. Where
 * the environment has an HTTP proxy, such a channel needs `"grpc.enable_http_proxy": 0`, as grpc-js would take the end of
 * the target for a host. Called again, the newest options count for channels made after that.
 *
 * grpc-js calls the interface experimental and may change it in any release; this is the only place that uses it.
 *
 * @param options as `discovery` of a channel, for all of them
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem of the options
 */
export function registerWithGrpcJs(
  options: DiscoveryOptions = {},
  collaborators: ChannelCollaborators = {},
): void {
  const resolved = parseOptions(discoveryOptionsSchema, options, "registerWithGrpcJs");
  const resolver = resolverClass(resolverDeps(collaborators), resolved);
  for (const scheme of [...OWN_SCHEMES, ...registeredSchemes()])
    experimental.registerResolver(scheme, resolver);
}

type ResolverClass = Parameters<typeof experimental.registerResolver>[1];

/** grpc-js makes one of these for each channel. */
function resolverClass(deps: ResolverDeps, options: ResolvedDiscoveryOptions): ResolverClass {
  return class implements experimental.Resolver {
    /** @throws ResilienceError `CONFIG_INVALID`, out of the constructor of the channel */
    static getDefaultAuthority(uri: experimental.GrpcUri): string {
      return authorityOf(targetOf(uri));
    }

    readonly #follower: Follower;

    constructor(uri: experimental.GrpcUri, listener: experimental.ResolverListener) {
      this.#follower = new Follower(targetOf(uri), deps, options, listener);
    }

    updateResolution(): void {
      this.#follower.update();
    }

    destroy(): void {
      this.#follower.stop();
    }
  };
}

/** Joins a Discovery to a channel of grpc-js, which stops it when it idles and starts it again. */
class Follower {
  #discovery: Discovery | null = null;
  #memory: Discovery["memory"] | null = null;
  #inUse: readonly Endpoint[] = [];

  constructor(
    private readonly target: ResolvedTarget,
    private readonly deps: ResolverDeps,
    private readonly options: ResolvedDiscoveryOptions,
    private readonly listener: experimental.ResolverListener,
  ) {}

  update(): void {
    if (this.#discovery !== null) this.#discovery.refresh();
    else this.#start();
  }

  stop(): void {
    this.#memory = this.#discovery?.memory ?? this.#memory;
    this.#discovery?.close();
    this.#discovery = null;
  }

  #start(): void {
    const discovery = new Discovery([this.target], this.deps, this.options, this.#memory);
    this.#discovery = discovery;
    discovery.start({
      onEndpoints: (endpoints) => this.#onEndpoints(endpoints),
      onError: () => this.#failWithoutAny(),
    });
    if (this.#inUse.length === 0) return;
    // The channel has forgotten them while it idled; an answer that is the same as before would not be told.
    queueMicrotask(() => {
      if (this.#discovery === discovery) this.#onEndpoints(this.#inUse);
    });
  }

  #onEndpoints(endpoints: readonly Endpoint[]): void {
    this.#inUse = endpoints;
    const value = inOrder(endpoints).map(({ address }) => ({ addresses: [socketAddress(address)] }));
    this.listener({ ok: true, value }, {}, null, "");
    // Without addresses grpc-js's round_robin is idle, and its calls wait for their deadlines.
    if (value.length === 0) this.#fail(this.#discovery?.outlook().text ?? "no endpoints are known");
  }

  /** The last good set stays; only without one is the channel told, and fails its calls. */
  #failWithoutAny(): void {
    if (this.#discovery !== null && this.#inUse.length === 0) this.#fail(this.#discovery.outlook().text);
  }

  #fail(details: string): void {
    const error = { code: status.UNAVAILABLE, details, metadata: new Metadata() };
    this.listener({ ok: false, error }, {}, null, "");
  }
}

/** Also takes `consul:8500`, a host that is called like a scheme: grpc-js gives us all that begins so. */
function targetOf(uri: experimental.GrpcUri): ResolvedTarget {
  const parsed = parseTarget(experimental.uriToString(uri));
  if (!parsed.ok) throw problemsError("the target of a grpc-js channel", parsed.problems);
  if (parsed.scheme === "passthrough") throw new TypeError(`${parsed.canonical} is not for grpc-js itself`);
  return parsed;
}

/** What gRPC sends as `:authority` unless `grpc.default_authority` says otherwise: one for all endpoints. */
export function authorityOf(target: ResolvedTarget): string {
  switch (target.scheme) {
    case "dns":
      return target.defaultAuthority;
    case "consul":
      return target.service;
    case "etcd":
      return lastOf(target.prefix);
    case "file":
    case "custom":
      return lastOf(target.path);
    default:
      return target.defaultAuthority ?? hostOf(target.addresses[0]);
  }
}

/** As gRPC has it for a scheme without a rule of its own: the name at the end, in characters that an authority may have. */
function lastOf(path: string): string {
  return encodeURIComponent(path.split(/[/\\]/).at(-1) ?? "") || "localhost";
}

/** As each endpoint would go by its own name, the first one's. */
function hostOf(address: SocketAddress | undefined): string {
  return address?.kind === "tcp" ? canonicalAddress(address) : "localhost";
}

function inOrder(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return [...endpoints].sort((a, b) => (a.priority ?? 0) - (b.priority ?? 0));
}

/** grpc-js looks names up as it dials. */
function socketAddress(text: string): experimental.SubchannelAddress {
  const address = parseAddress(text);
  if (typeof address === "string") throw new TypeError(`${text} ${address}`);
  return address.kind === "unix" ? { path: address.path } : { host: address.host, port: address.port };
}
