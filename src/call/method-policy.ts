import type { Random } from "../core/index.js";
import {
  Backoff,
  type ResolvedRetryOptions,
  type ResolvedRetryOverride,
  type RetryPolicy,
} from "../retry/index.js";
import type { ResolvedCallSettings } from "./call-settings.js";
import type { ResolvedChannelOptions, ResolvedMethodOptions } from "./channel-options.js";
import type { KnownMethods, RpcKind } from "./rpc-kind.js";

/** Longest default limit of one attempt, in ms. */
const MAX_DEFAULT_ATTEMPT_MS = 5_000;

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
}

/** Finds the policy of a method: exact name before its service before the channel's defaults, field by field. */
export class MethodPolicies {
  readonly #cache = new Map<string, MethodPolicy>();

  constructor(
    private readonly options: ResolvedChannelOptions,
    private readonly known: KnownMethods,
    private readonly random: Random,
  ) {}

  /** @param path full path, `/package.Service/Method` */
  of(path: string): MethodPolicy {
    const cached = this.#cache.get(path);
    if (cached !== undefined) return cached;
    const policy = this.#build(path);
    this.#cache.set(path, policy);
    return policy;
  }

  /** The method's retry policy with what one call changes of it. */
  overridden(policy: MethodPolicy, override: ResolvedRetryOverride): RetryPolicy {
    return retryPolicyOf(overrideRetry(policy.retryOptions, override), this.random);
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
    const timeoutMs = pick("timeoutMs");
    const attemptTimeoutMs = pick("attemptTimeoutMs");
    return {
      path,
      isIdempotent: pick("idempotent") ?? this.known.isIdempotent(path),
      isWaitingForReady: pick("waitForReady") ?? this.options.waitForReady,
      timeoutMs: timeoutMs === undefined ? this.options.timeoutMs : timeoutMs,
      attemptTimeoutMs: attemptTimeoutMs === undefined ? this.options.attemptTimeoutMs : attemptTimeoutMs,
      retry: retryPolicyOf(retryOptions, this.random),
      retryOptions,
    };
  }
}

/** Limit of one attempt in ms (R54): as configured, else a share of the call's time for idempotent unary calls. */
export function attemptLimitMs(
  policy: MethodPolicy,
  kind: RpcKind,
  call: { readonly isIdempotent: boolean; readonly maxAttempts: number; readonly timeLeftMs: number },
): number {
  if (kind.responseStream || policy.attemptTimeoutMs === null) return Number.POSITIVE_INFINITY;
  if (policy.attemptTimeoutMs !== undefined) return policy.attemptTimeoutMs;
  if (kind.requestStream || !call.isIdempotent || call.maxAttempts <= 1) return Number.POSITIVE_INFINITY;
  return Math.min(call.timeLeftMs / call.maxAttempts, MAX_DEFAULT_ATTEMPT_MS);
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

function overrideRetry(
  base: ResolvedRetryOptions,
  override: ResolvedRetryOverride | undefined,
): ResolvedRetryOptions {
  if (override === undefined) return base;
  if (override === false) return { ...base, maxAttempts: 1 };
  const backoff = { ...base.backoff, ...withoutUndefined(override.backoff ?? {}) };
  // A method that asks for more is refused at the door; a call, which may be of any method, is not.
  const maxAttempts = Math.min(override.maxAttempts ?? base.maxAttempts, base.maxAttemptsLimit);
  return { ...base, maxAttempts, backoff, retryableCodes: override.retryableCodes ?? base.retryableCodes };
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  const entries = Object.entries(value).filter(([, entry]) => entry !== undefined);
  return Object.fromEntries(entries) as { [K in keyof T]: Exclude<T[K], undefined> };
}
