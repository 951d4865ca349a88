import type { Clock } from "../../src/core/index.js";
import { readConsulAnswer } from "../../src/discovery/consul/consul-answer.js";
import { discoveryOptionsSchema } from "../../src/discovery/discovery-options.js";
import { GuardedResolver } from "../../src/discovery/guarded-resolver.js";
import type { ResolverListener } from "../../src/discovery/resolver.js";
import { roundRobin } from "../../src/pool/pickers/round-robin.js";
import { emptyPool } from "../pool/ready-pool.js";

const ASKED = { service: "users", isPassingOnly: true, taggedAddress: null } as const;

/** How long each part of an answer took. */
export interface AnswerCost {
  readonly jsonMs: number;
  readonly readMs: number;
  /** Guards and pool, which the guards call. */
  readonly guardsMs: number;
  readonly poolMs: number;
}

/**
 * A pool that follows Consul's answers through the guards, all but the request itself: what an answer costs from its text
 * to the endpoints in use.
 */
export class FollowedPool {
  readonly #made = emptyPool(roundRobin);
  readonly #guarded: GuardedResolver;
  #listener: ResolverListener | null = null;
  #poolMs = 0;
  /** Answers come a second apart, so that none is gathered with another. */
  #nowMs = 0;
  /** Updates that the pool was given. */
  updates = 0;
  added = 0;
  removed = 0;

  constructor() {
    const source = {
      target: "consul:///users",
      isWatching: true,
      start: (listener: ResolverListener) => {
        this.#listener = listener;
      },
      refresh: () => {},
      close: () => {},
    };
    const { clock: real, pool } = this.#made;
    const clock: Clock = {
      now: () => this.#nowMs,
      epoch: () => this.#nowMs,
      setTimer: (callback, delayMs) => real.setTimer(callback, delayMs),
    };
    this.#guarded = new GuardedResolver(source, discoveryOptionsSchema.parse({}), { clock });
    this.#guarded.start({
      onEndpoints: (endpoints) => {
        const startedAt = performance.now();
        const { added, removed } = pool.update(endpoints);
        this.#poolMs += performance.now() - startedAt;
        this.updates++;
        this.added += added.length;
        this.removed += removed.length;
      },
      onError: (error) => {
        throw error;
      },
    });
  }

  /** Counts from nought again. */
  forget(): void {
    this.updates = 0;
    this.added = 0;
    this.removed = 0;
  }

  get endpoints(): number {
    return this.#made.pool.subchannels.length;
  }

  /** @throws Error when the answer is not read whole */
  answer(text: string): AnswerCost {
    this.#poolMs = 0;
    this.#nowMs += 1_000;
    const startedAt = performance.now();
    const body: unknown = JSON.parse(text);
    const parsedAt = performance.now();
    const { endpoints, problems } = readConsulAnswer(body, ASKED);
    const readAt = performance.now();
    this.#listener?.onEndpoints(endpoints);
    const doneAt = performance.now();
    if (problems.length > 0) throw new Error(`the answer has problems: ${problems[0]}`);
    return {
      jsonMs: parsedAt - startedAt,
      readMs: readAt - parsedAt,
      guardsMs: doneAt - readAt - this.#poolMs,
      poolMs: this.#poolMs,
    };
  }

  /** What an answer says, for the guards alone. */
  tellGuards(endpoints: Parameters<ResolverListener["onEndpoints"]>[0]): void {
    this.#listener?.onEndpoints(endpoints);
  }

  close(): void {
    this.#guarded.close();
    this.#made.pool.destroy();
  }
}

/** The endpoints of an answer. */
export function endpointsIn(text: string): Parameters<ResolverListener["onEndpoints"]>[0] {
  return readConsulAnswer(JSON.parse(text), ASKED).endpoints;
}
