import type { ResolvedThrottleOptions } from "./retry-options.js";

/** What one failure costs, in thousandths of a token. */
const ONE_TOKEN = 1_000;

/**
 * The token bucket of gRFC A6, retryThrottling (R27-R29): failures take a token, successes give a fraction back, and
 * retries are allowed only while more than half of the tokens are there. The count is kept in whole thousandths, so
 * that it is exact after any number of calls.
 */
export class RetryThrottle {
  readonly #max: number;
  readonly #gain: number;
  readonly #counted = new WeakSet<object>();
  #count: number;

  constructor(options: ResolvedThrottleOptions) {
    this.#max = toThousandths(options.maxTokens);
    this.#gain = toThousandths(Math.min(options.tokenRatio, options.maxTokens));
    this.#count = this.#max;
  }

  /** Tokens of a full bucket. */
  get maxTokens(): number {
    return this.#max / ONE_TOKEN;
  }

  /** Tokens left, from 0 to `maxTokens`. */
  get tokens(): number {
    return this.#count / ONE_TOKEN;
  }

  /** True while more than half of the tokens are left (R29). Record the failure before asking. */
  canRetry(): boolean {
    return this.#count * 2 > this.#max;
  }

  /** Gives `tokenRatio` back, up to a full bucket. */
  recordSuccess(): void {
    if (this.#count < this.#max) this.#count = Math.min(this.#count + this.#gain, this.#max);
  }

  /**
   * Takes one token.
   * @param incident shared by all failures of one connection loss or one suspicion, which together cost one token:
   * else a single dead connection at high rate would use up the bucket of calls that other endpoints could serve.
   */
  recordFailure(incident?: object | null): void {
    if (incident) {
      if (this.#counted.has(incident)) return;
      this.#counted.add(incident);
    }
    this.#count = Math.max(0, this.#count - ONE_TOKEN);
  }
}

interface SharedThrottle {
  readonly options: ResolvedThrottleOptions;
  readonly throttle: RetryThrottle;
  users: number;
}

/** One bucket for all channels with an equal target and equal options (R27), as long as one of them lives. */
export class ThrottleRegistry {
  readonly #byKey = new Map<string, SharedThrottle[]>();

  /** The bucket of this target and these options; each acquired one is released once. */
  acquire(key: string, options: ResolvedThrottleOptions): RetryThrottle {
    const shared = this.#byKey.get(key) ?? [];
    this.#byKey.set(key, shared);
    const known = shared.find((entry) => haveEqualSettings(entry.options, options));
    if (known !== undefined) {
      known.users += 1;
      return known.throttle;
    }
    const throttle = new RetryThrottle(options);
    shared.push({ options, throttle, users: 1 });
    return throttle;
  }

  /** Ends one use of a bucket; after the last one it is forgotten. A bucket not known here is ignored. */
  release(key: string, throttle: RetryThrottle): void {
    const shared = this.#byKey.get(key) ?? [];
    const entry = shared.find((candidate) => candidate.throttle === throttle);
    if (entry === undefined) return;
    entry.users -= 1;
    if (entry.users > 0) return;
    shared.splice(shared.indexOf(entry), 1);
    if (shared.length === 0) this.#byKey.delete(key);
  }
}

function haveEqualSettings(a: ResolvedThrottleOptions, b: ResolvedThrottleOptions): boolean {
  return a.maxTokens === b.maxTokens && a.tokenRatio === b.tokenRatio;
}

/**
 * Drops what is past the third decimal (R7: 0.5466 counts as 0.546). The addend heals the binary error of the product:
 * without it 0.57, or 1.001, could lose a thousandth it has.
 */
function toThousandths(tokens: number): number {
  return Math.floor(tokens * ONE_TOKEN + 1e-9);
}
