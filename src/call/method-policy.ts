import type { Random } from "../core/index.js";
import type { Compression } from "../pool/index.js";
import {
  Backoff,
  type HedgingPolicy,
  LatencyWindow,
  overrideRetry,
  type ResolvedHedgingOverride,
  type ResolvedRetryOptions,
  type ResolvedRetryOverride,
  type RetryPolicy,
} from "../retry/index.js";
import type { ResolvedCallSettings } from "./call-settings.js";
import type { ResolvedChannelOptions, ResolvedMethodOptions } from "./channel-options.js";
import type { KnownMethods } from "./rpc-kind.js";

/** Methods whose policy is kept. */
const MAX_CACHED = 10_000;

/** What holds for one method, looked up once and cached. */
export interface MethodPolicy {
  readonly path: string;
  readonly isIdempotent: boolean;
  readonly isWaitingForReady: boolean;
  /** Default time for a call with a single response, in ms; null for none. */
  readonly timeoutMs: number | null;
  /** Limit of one attempt as configured: null for none, undefined for the default rule. */
  readonly attemptTimeoutMs: number | null | undefined;
  readonly retry: RetryPolicy;
  readonly retryOptions: ResolvedRetryOptions;
  /** For calls that are idempotent; null where there is none. */
  readonly hedging: HedgingPolicy | null;
  /** Undefined for the channel's own. */
  readonly compression: Compression | undefined;
  /** Longest time of any call, whatever its caller asks, in ms; null for no such limit. */
  readonly maxTimeoutMs: number | null;
  readonly maxSendMessageBytes: number;
  readonly maxReceiveMessageBytes: number;
  /** Limits of a response stream, in ms; null for none. */
  readonly firstResponseTimeoutMs: number | null;
  readonly streamIdleTimeoutMs: number | null;
}

/** Finds the policy of a method: exact name before its service before the channel's defaults, field by field. */
export class MethodPolicies {
  readonly #cache = new Map<string, MethodPolicy>();
  #definitions = 0;
  /** Only of methods that are hedged; calls with options of their own share it. */
  readonly #latencies = new Map<string, LatencyWindow>();

  constructor(
    private readonly options: ResolvedChannelOptions,
    private readonly known: KnownMethods,
    private readonly random: Random,
  ) {}

  /** @param path full path, `/package.Service/Method` */
  of(path: string): MethodPolicy {
    // What was learned since may say that a method is idempotent.
    if (this.#definitions !== this.known.definitions) {
      this.#definitions = this.known.definitions;
      this.#cache.clear();
    }
    const cached = this.#cache.get(path);
    if (cached !== undefined) return cached;
    const policy = this.#build(path);
    // Names may come from outside, without end; what is thrown away is only worked out again.
    if (this.#cache.size >= MAX_CACHED) this.#cache.clear();
    this.#cache.set(path, policy);
    return policy;
  }

  /** The method's retry policy with what one call changes of it. */
  overridden(policy: MethodPolicy, override: ResolvedRetryOverride): RetryPolicy {
    return retryPolicyOf(overrideRetry(policy.retryOptions, override), this.random);
  }

  /** Hedging of one call: as the method has it, unless the call has options of its own. */
  hedgingOf(policy: MethodPolicy, override: ResolvedHedgingOverride | undefined): HedgingPolicy | null {
    if (override === undefined) return policy.hedging;
    return override === false ? null : this.#hedgingPolicy(policy.path, override);
  }

  #hedgingPolicy(path: string, given: Exclude<ResolvedHedgingOverride, false>): HedgingPolicy {
    let latency = this.#latencies.get(path);
    if (latency === undefined) {
      if (this.#latencies.size >= MAX_CACHED) this.#latencies.clear();
      latency = new LatencyWindow();
      this.#latencies.set(path, latency);
    }
    const maxAttempts = Math.min(given.maxAttempts, this.options.retry.maxAttemptsLimit);
    return { options: { ...given, maxAttempts }, latency };
  }

  #build(path: string): MethodPolicy {
    const name = path.replace(/^\//, "");
    const service = name.slice(0, name.lastIndexOf("/"));
    const levels = [this.options.methods[name], this.options.methods[service]].filter(
      (level) => level !== undefined,
    );
    const pick = <K extends keyof ResolvedMethodOptions>(key: K): ResolvedMethodOptions[K] | undefined =>
      levels.find((level) => level[key] !== undefined)?.[key];
    const retryOptions = overrideRetry(this.options.retry, pick("retry"));
    // R1: one or the other, and what is said nearest to the method decides which.
    const nearest = levels.find(({ hedging, retry }) => hedging !== undefined || retry !== undefined);
    const hedging = nearest === undefined ? this.options.hedging : (nearest.hedging ?? false);
    return {
      path,
      isIdempotent: pick("idempotent") ?? this.known.isIdempotent(path),
      isWaitingForReady: pick("waitForReady") ?? this.options.waitForReady,
      timeoutMs: orElse(pick("timeoutMs"), this.options.timeoutMs),
      attemptTimeoutMs: orElse(pick("attemptTimeoutMs"), this.options.attemptTimeoutMs),
      retry: retryPolicyOf(retryOptions, this.random),
      retryOptions,
      hedging: hedging === false ? null : this.#hedgingPolicy(path, hedging),
      compression: pick("compression"),
      maxTimeoutMs: orElse(pick("maxTimeoutMs"), this.options.maxTimeoutMs),
      maxSendMessageBytes: atMost(this.options.maxSendMessageBytes, pick("maxSendMessageBytes")),
      maxReceiveMessageBytes: atMost(this.options.maxReceiveMessageBytes, pick("maxReceiveMessageBytes")),
      firstResponseTimeoutMs: orElse(pick("firstResponseTimeoutMs"), this.options.firstResponseTimeoutMs),
      streamIdleTimeoutMs: orElse(pick("streamIdleTimeoutMs"), this.options.streamIdleTimeoutMs),
    };
  }
}

/** Null is a value: no limit. */
function orElse<T>(value: T | undefined, fallback: T): T {
  return value === undefined ? fallback : value;
}

function atMost(limit: number, value: number | undefined): number {
  return value === undefined ? limit : Math.min(limit, value);
}

/** Whether repeating the call does no harm: the call's own word before the method's. */
export function isIdempotentCall(
  policy: MethodPolicy,
  settings: ResolvedCallSettings,
  isMarked: boolean,
): boolean {
  return settings.idempotent ?? (isMarked || policy.isIdempotent);
}

function retryPolicyOf(options: ResolvedRetryOptions, random: Random): RetryPolicy {
  return {
    maxAttempts: options.maxAttempts,
    retryableCodes: options.retryableCodes,
    backoff: new Backoff(options.backoff, random),
  };
}
