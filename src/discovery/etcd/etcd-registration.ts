import {
  DeleteRangeRequest,
  KVService,
  LeaseGrantRequest,
  LeaseService,
  RangeRequest,
} from "../../gen/etcdserverpb/rpc.js";
import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import {
  type Registrar,
  type RegistrarDeps,
  RegistrationRefused,
  type ServiceHealth,
} from "../registration.js";
import type { ResolvedServiceOptions, TtlCheck } from "../registration-options.js";
import type { EtcdTarget } from "../target-kinds.js";
import { EtcdClient } from "./etcd-client.js";
import { failed, isInvalid, isNotFound } from "./etcd-errors.js";
import { writtenValue } from "./etcd-value.js";

/** Of the TTL: two signs of life may be lost before the lease is. */
const KEEP_RATIO = 1 / 3;

/**
 * Keeps a service under `prefix/<id>` in etcd, on a lease that etcd ends `check.ttlMs` (in whole seconds, rounded up) after
 * the last sign of life. etcd knows no states: in state `critical` the key is taken away while the lease lives on, and
 * `warning` counts as `passing`. With etcd's authentication the user needs the right to read and to write the key.
 */
export function etcdRegistrar(
  target: EtcdTarget,
  service: ResolvedServiceOptions & { readonly check: TtlCheck },
  options: ResolvedDiscoveryOptions,
  deps: RegistrarDeps,
): Registrar {
  return new EtcdRegistrar(target, service, options, deps);
}

class EtcdRegistrar implements Registrar {
  readonly target: string;
  readonly id: string;
  readonly keepEveryMs: number;
  readonly statusProblem = null;
  readonly #client: EtcdClient;
  readonly #key: Buffer;
  readonly #value: Buffer;
  readonly #ttlSeconds: bigint;
  /** Null where there is none that etcd is known to have. */
  #lease: bigint | null = null;
  /** Whether the key is there, as far as we have seen to it. */
  #isShown = false;

  constructor(
    target: EtcdTarget,
    service: ResolvedServiceOptions & { readonly check: TtlCheck },
    private readonly options: ResolvedDiscoveryOptions,
    private readonly deps: RegistrarDeps,
  ) {
    this.target = target.canonical;
    this.id = service.id ?? service.address;
    this.keepEveryMs = service.check.ttlMs * KEEP_RATIO;
    this.#client = new EtcdClient(target, options.etcd, deps);
    this.#key = Buffer.from(`${target.prefix}/${this.id}`);
    this.#value = Buffer.from(writtenValue(service));
    this.#ttlSeconds = BigInt(Math.ceil(service.check.ttlMs / 1_000));
  }

  /** On a new lease each time, so that it has all of its time before it; one from before ends by itself, without a key. */
  register(health: ServiceHealth, signal: AbortSignal): Promise<void> {
    return this.#within(signal, `registering ${this.id}`, async (untilMs) => {
      const request = LeaseGrantRequest.create({ TTL: this.#ttlSeconds });
      const { ID } = await this.#client.call(LeaseService.leaseGrant, request, untilMs);
      this.#lease = ID;
      await this.#show(health, ID, untilMs);
    });
  }

  keep(health: ServiceHealth, signal: AbortSignal): Promise<boolean> {
    return this.#within(signal, `keeping ${this.id}`, async (untilMs) => {
      const lease = this.#lease;
      if (lease === null || !(await this.#renew(lease, untilMs))) {
        this.#lease = null;
        return false;
      }
      if (this.#isShown !== isShownWhen(health)) await this.#show(health, lease, untilMs);
      return !this.#isShown || (await this.#isThere(untilMs));
    });
  }

  deregister(signal: AbortSignal): Promise<void> {
    return this.#within(signal, `deregistering ${this.id}`, async (untilMs) => {
      if (this.#lease === null) return;
      try {
        await this.#client.call(LeaseService.leaseRevoke, { ID: this.#lease }, untilMs);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      this.#lease = null;
    });
  }

  release(): void {
    this.#client.close();
  }

  async #show(health: ServiceHealth, lease: bigint, untilMs: number): Promise<void> {
    const isShown = isShownWhen(health);
    if (isShown) {
      try {
        await this.#client.call(KVService.put, { key: this.#key, value: this.#value, lease }, untilMs);
      } catch (error) {
        throw isInvalid(error) ? new RegistrationRefused(failed(`putting ${this.id}`, error).message) : error;
      }
    } else
      await this.#client.call(KVService.deleteRange, DeleteRangeRequest.create({ key: this.#key }), untilMs);
    this.#isShown = isShown;
  }

  /** False for a lease that etcd has ended. */
  async #renew(lease: bigint, untilMs: number): Promise<boolean> {
    try {
      const { TTL } = await this.#client.exchange(LeaseService.leaseKeepAlive, { ID: lease }, untilMs);
      return TTL > 0n;
    } catch (error) {
      if (isNotFound(error)) return false;
      throw error;
    }
  }

  /**
   * A lease outlives a key that somebody has deleted. A key under another lease is our own successor's, who was started
   * with the same id while we still run: it is let be.
   */
  async #isThere(untilMs: number): Promise<boolean> {
    const request = RangeRequest.create({ key: this.#key, keysOnly: true });
    const { kvs } = await this.#client.call(KVService.range, request, untilMs);
    return kvs.length > 0;
  }

  /** Ends in time, and soon after the signal; what comes of a call that was given up is not heard. */
  #within<T>(signal: AbortSignal, what: string, work: (untilMs: number) => Promise<T>): Promise<T> {
    const untilMs = this.deps.clock.now() + this.options.lookupTimeoutMs;
    return new Promise<T>((resolve, reject) => {
      const giveUp = (): void => reject(failed(`${what} at ${this.target}`, signal.reason));
      if (signal.aborted) {
        giveUp();
        return;
      }
      signal.addEventListener("abort", giveUp, { once: true });
      const forget = (): void => signal.removeEventListener("abort", giveUp);
      work(untilMs).then(
        (value) => {
          forget();
          resolve(value);
        },
        (error: unknown) => {
          forget();
          reject(error instanceof RegistrationRefused ? error : failed(`${what} at ${this.target}`, error));
        },
      );
    });
  }
}

function isShownWhen({ status }: ServiceHealth): boolean {
  return status !== "critical";
}
