import { AsyncResource } from "node:async_hooks";
import { type ChannelInterface, credentials as grpcCredentials } from "@grpc/grpc-js";
import {
  type Clock,
  EventHub,
  type HostLookup,
  problemsError,
  type Random,
  systemClock,
  systemRandom,
} from "../core/index.js";
import { type ResolvedTarget, type ResolverDeps, systemLookup, type TargetList } from "../discovery/index.js";
import { type InnerChannelFactory, isPlaintext, TlsMaterial } from "../pool/index.js";
import { ThrottleRegistry } from "../retry/index.js";
import type { ChannelOptions, ResolvedChannelOptions } from "./channel-options.js";
import { checkCredentials, checkOptions, checkTarget } from "./check-channel.js";
import { NAME_OVERRIDE } from "./credential-options.js";
import { FailureCounts } from "./failure-counts.js";
import { hedgedByDefinition } from "./method-names.js";
import { MethodPolicies } from "./method-policy.js";
import { passthrough } from "./passthrough.js";
import { passthroughProblems } from "./passthrough-options.js";
import { PoolBackend } from "./pool-backend.js";
import { ownMethodNames } from "./presets.js";
import { type ChannelParts, ResilientChannel } from "./resilient-channel.js";
import { BufferBudget } from "./retry-buffer.js";
import { channelFactory } from "./rpc-channel.js";
import { KnownMethods } from "./rpc-kind.js";
import { StubBackend } from "./stub-backend.js";
import { warnOnce } from "./warn-once.js";

/** What a channel works with beside its options. Tests replace it; everybody else leaves it alone. */
export interface ChannelCollaborators {
  readonly clock?: Clock;
  readonly random?: Random;
  readonly lookup?: HostLookup;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Shares retry throttles among channels with equal targets. */
  readonly throttles?: ThrottleRegistry;
  /** Replaces the transport below the pool. */
  readonly makeChannel?: InnerChannelFactory;
  /** True where nobody waits for what the channel does: then it does not keep the process alive. Default false. */
  readonly isBackground?: boolean;
}

/** R27: one bucket per target, so that a second channel to a failing service does not double the retries. */
const processThrottles = new ThrottleRegistry();

/**
 * Makes a resilient channel. Does no I/O; the first call connects.
 *
 * @param target `static:///a:1,b:2`, `dns:///host:port` or plain `host:port`, `ipv4:`, `ipv6:`, `unix:`,
 *   `consul://agent:8500/service`, `etcd://host:2379/prefix`, `file:///endpoints.yaml`, `passthrough:///...`, or a scheme of
 *   `registerResolver`; or several of them in order of preference
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem of target and options
 */
export function createChannel(
  target: string | readonly string[],
  options: ChannelOptions,
  collaborators: ChannelCollaborators = {},
): ResilientChannel {
  const [checked, parsed] = [checkOptions(options), checkTarget(target)];
  const problems = [
    ...checked.problems,
    ...checkCredentials(options, parsed.value),
    ...parsed.problems,
    ...passthroughProblems(options, parsed.value),
  ];
  if (checked.value === null || parsed.value === null || problems.length > 0) {
    throw problemsError("createChannel", problems);
  }
  return poolChannel(parsed.value, checked.value, collaborators);
}

/** What resolvers and registrations need of the world. */
export function resolverDeps(collaborators: ChannelCollaborators): ResolverDeps {
  const {
    clock = systemClock,
    random = systemRandom,
    lookup = systemLookup,
    env = process.env,
  } = collaborators;
  const openChannel = channelFactory(
    (target, options) => createChannel(target, options, { ...collaborators, isBackground: true }),
    clock,
  );
  return { clock, random, lookup, env, openChannel };
}

/** A channel over a pool of its own; over a grpc-js channel to pass through to. */
export function poolChannel(
  parsed: TargetList,
  options: ResolvedChannelOptions,
  collaborators: ChannelCollaborators,
): ResilientChannel {
  const { env = process.env, makeChannel } = collaborators;
  const effective = effectiveOptions(options, env);
  const parts = channelParts(parsed.canonical, effective, collaborators);
  const { tls } = options;
  const material =
    tls === undefined ? null : new TlsMaterial(tls, { clock: parts.clock, env, warn: warnOfTls });
  const credentials = material?.credentials ?? options.credentials ?? grpcCredentials.createInsecure();
  // Of a registry in plaintext the user knows from its own options.
  if (isPlaintext(credentials) && collaborators.isBackground !== true)
    warnOnce(
      "HOLDFAST_INSECURE",
      `the calls to ${parsed.canonical} go out in plaintext: fine on loopback, not across a network`,
    );
  const context = new AsyncResource("HoldfastChannel");
  const watchTls = (onRotated: (cause: string) => void): void =>
    context.runInAsyncScope(() => material?.start(onRotated, (problem) => warnOfRejected(parsed, problem)));
  const owned = {
    ...parts,
    onReleased: () => {
      material?.close();
      parts.onReleased();
    },
  };
  const named = withTlsName(effective);
  const [first] = parsed.targets;
  if (first?.scheme === "passthrough")
    return passthrough(first, credentials, named, owned, () => watchTls(() => {}));
  const targets = parsed.targets as readonly ResolvedTarget[];
  const channel = new ResilientChannel({
    ...owned,
    makeBackend: (onState) => {
      const backend = new PoolBackend(targets, parsed.canonical, named, {
        ...parts,
        ...resolverDeps(collaborators),
        isBackground: collaborators.isBackground,
        credentials,
        makeChannel,
        context,
        onState,
      });
      watchTls((cause) => backend.rotate(cause));
      return backend;
    },
  });
  if (effective.connecting === "eager") channel.getConnectivityState(true);
  return channel;
}

/** The name that all certificates must carry, where `tls` has one. */
function withTlsName(options: ResolvedChannelOptions): ResolvedChannelOptions {
  const serverName = options.tls?.serverName;
  if (serverName === undefined) return options;
  return { ...options, channelOptions: { ...options.channelOptions, [NAME_OVERRIDE]: serverName } };
}

function warnOfTls(code: string, message: string): void {
  warnOnce(code, message, message);
}

/** Each time it is told, since it may go well in between. */
function warnOfRejected({ canonical }: TargetList, problem: string): void {
  const code = "HOLDFAST_TLS_REJECTED";
  process.emitWarning(`${canonical}: ${problem}`, { type: "HoldfastWarning", code });
}

/** A channel over a stub's own channel, without a pool. */
export function stubChannel(
  channel: ChannelInterface,
  options: ResolvedChannelOptions,
  collaborators: ChannelCollaborators,
): ResilientChannel {
  const effective = effectiveOptions(options, collaborators.env ?? process.env);
  const parts = channelParts(channel.getTarget(), effective, collaborators);
  return new ResilientChannel({ ...parts, makeBackend: () => new StubBackend(channel, effective, parts) });
}

function channelParts(
  target: string,
  options: ResolvedChannelOptions,
  { clock = systemClock, random = systemRandom, throttles = processThrottles }: ChannelCollaborators,
): Omit<ChannelParts, "makeBackend"> & { random: Random } {
  const { retry } = options;
  const names = ownMethodNames(options);
  const known = new KnownMethods(names, hedgedByDefinition(names, options.methods));
  for (const method of options.descriptors ?? []) known.define(method, method.isIdempotent);
  const throttle = retry.throttle === false ? null : throttles.acquire(target, retry.throttle);
  return {
    options,
    clock,
    random,
    known,
    events: new EventHub(),
    failures: new FailureCounts(),
    policies: new MethodPolicies(options, known, random),
    throttle,
    budget: new BufferBudget(retry.perCallBufferBytes, retry.perChannelBufferBytes),
    onReleased: () => {
      if (throttle !== null) throttles.release(target, throttle);
    },
  };
}

/** The kill switch leaves plain calls, one attempt each, without a limit that the caller did not set. */
function effectiveOptions(
  options: ResolvedChannelOptions,
  env: Readonly<Record<string, string | undefined>>,
): ResolvedChannelOptions {
  if (options.enabled && env["HOLDFAST_DISABLED"] !== "1") return options;
  warnOnce(
    "HOLDFAST_DISABLED",
    "Holdfast is switched off: calls are made once, without retry, breaker or deadline",
  );
  // Also what a call asks for is bounded by the limit.
  const retry = {
    ...options.retry,
    maxAttempts: 1,
    maxAttemptsLimit: 1,
    throttle: false as const,
    perCallBufferBytes: 0,
  };
  const plain = {
    timeoutMs: null,
    maxTimeoutMs: null,
    attemptTimeoutMs: null,
    firstResponseTimeoutMs: null,
    streamIdleTimeoutMs: null,
    maxMetadataBytes: Number.MAX_SAFE_INTEGER,
    hedging: false as const,
    breaker: false as const,
    methods: {},
  };
  return { ...options, ...plain, enabled: false, waitForReady: false, retry };
}
