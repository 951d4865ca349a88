import type { Timer } from "../../core/index.js";
import type { Event, ResponseHeader } from "../../gen/etcdserverpb/rpc.js";
import type { ResolvedDiscoveryOptions } from "../discovery-options.js";
import { ListenerGate } from "../listener-gate.js";
import { lookupBackoffMs } from "../lookup-backoff.js";
import type { Resolver, ResolverDeps, ResolverListener } from "../resolver.js";
import type { EtcdTarget } from "../target-kinds.js";
import { EtcdClient } from "./etcd-client.js";
import { failed } from "./etcd-errors.js";
import { EtcdKeys } from "./etcd-keys.js";
import { readPrefix } from "./etcd-range.js";
import { EtcdWatch, type EtcdWatchEnd } from "./etcd-watch.js";

/** Where `refreshMs` is null, which is said of names, a watch still has to show now and then that it is alive. */
const DEFAULT_SILENCE_MS = 30_000;

type State =
  | { readonly kind: "new" }
  | { readonly kind: "reading" }
  | { readonly kind: "watching"; readonly watch: EtcdWatch }
  /** The next attempt is certain, its timer runs. */
  | { readonly kind: "waiting"; readonly timer: Timer }
  | { readonly kind: "closed" };

/** How far the keys are known. */
interface Position extends Pick<ResponseHeader, "clusterId" | "revision" | "raftTerm"> {
  /** True until the watch that follows a read is up. */
  readonly isFresh: boolean;
}

export function etcdResolver(
  target: EtcdTarget,
  deps: ResolverDeps,
  options: ResolvedDiscoveryOptions,
): Resolver {
  return new EtcdResolver(target, deps, options);
}

/**
 * Follows the keys under a prefix: reads them, then watches from the next revision on. A watch that breaks is resumed where
 * it was; the keys are read again only where that cannot be: after a compaction, or when the store is another one.
 */
class EtcdResolver implements Resolver {
  readonly target: string;
  readonly #prefix: string;
  readonly #deps: ResolverDeps;
  readonly #options: ResolvedDiscoveryOptions;
  readonly #gate: ListenerGate;
  readonly #client: EtcdClient;
  readonly #keys: EtcdKeys;
  #state: State = { kind: "new" };
  /** Null where the keys have to be read. */
  #position: Position | null = null;
  #readAt = Number.NEGATIVE_INFINITY;
  #failuresInARow = 0;

  constructor(target: EtcdTarget, deps: ResolverDeps, options: ResolvedDiscoveryOptions) {
    this.target = target.canonical;
    this.#prefix = target.prefix;
    this.#deps = deps;
    this.#options = options;
    this.#gate = new ListenerGate(target.canonical);
    this.#client = new EtcdClient(target, options.etcd, deps);
    this.#keys = new EtcdKeys(target.prefix);
  }

  get isWatching(): boolean {
    return this.#state.kind === "watching" && this.#state.watch.isUp;
  }

  start(listener: ResolverListener): void {
    this.#gate.open(listener);
    void this.#read();
  }

  /** A watch tells by itself, a read is under way, and what failed is repeated by backoff: there is nothing to hurry. */
  refresh(): void {}

  close(): void {
    if (this.#state.kind === "watching") this.#state.watch.close();
    if (this.#state.kind === "waiting") this.#state.timer.cancel();
    this.#state = { kind: "closed" };
    this.#gate.close();
    this.#client.close();
  }

  #attempt(): void {
    if (this.#position === null) void this.#read();
    else this.#watch(this.#position);
  }

  async #read(): Promise<void> {
    const { clock } = this.#deps;
    this.#state = { kind: "reading" };
    this.#readAt = clock.now();
    try {
      const { lookupTimeoutMs } = this.#options;
      const { pairs, header } = await readPrefix(this.#client, clock, this.#prefix, lookupTimeoutMs);
      if (this.#state.kind !== "reading") return;
      this.#keys.replace(pairs);
      this.#position = { ...header, isFresh: true };
    } catch (error) {
      if (this.#state.kind === "reading") this.#fail(failed(`reading the keys of ${this.target}`, error));
      return;
    }
    this.#watch(this.#position);
    this.#report();
  }

  #watch({ revision, isFresh }: Position): void {
    const { lookupTimeoutMs, refreshMs } = this.#options;
    const watch = new EtcdWatch(
      this.#client,
      this.#prefix,
      this.#deps,
      { answerMs: lookupTimeoutMs, silenceMs: refreshMs ?? DEFAULT_SILENCE_MS },
      {
        onCreated: (header) => this.#onCreated(header),
        onEvents: (events, reached) => this.#onEvents(events, reached),
        onAlive: () => this.#report(),
        onEnd: (end) => this.#onEnd(end),
      },
    );
    this.#state = { kind: "watching", watch };
    watch.start(revision + 1n, !isFresh);
  }

  #onCreated(header: ResponseHeader): void {
    const position = this.#position;
    if (position === null) return;
    const isElsewhere = header.clusterId !== position.clusterId;
    if (isElsewhere && position.isFresh) {
      this.#position = null;
      this.#fail(new Error(`the servers of ${this.target} belong to different clusters`));
      return;
    }
    if (isElsewhere || (!position.isFresh && isBefore(header, position))) {
      this.#readAgain();
      return;
    }
    this.#position = { ...position, raftTerm: header.raftTerm, isFresh: false };
    this.#failuresInARow = 0;
  }

  #onEvents(events: readonly Event[], revision: bigint): void {
    if (this.#position === null) return;
    this.#keys.apply(events);
    this.#position = { ...this.#position, revision };
    this.#report();
  }

  #onEnd(end: EtcdWatchEnd): void {
    if (end.kind === "compacted") this.#readAgain();
    else this.#fail(end.error);
  }

  /** No failure: etcd answers, only the short way is closed. Never sooner than `minIntervalMs` after the last read. */
  #readAgain(): void {
    this.#position = null;
    this.#waitFor(this.#readAt + this.#options.minIntervalMs - this.#deps.clock.now());
  }

  #fail(error: Error): void {
    this.#failuresInARow++;
    this.#waitFor(lookupBackoffMs(this.#failuresInARow, this.#deps.random));
    this.#gate.error(error);
  }

  #waitFor(delayMs: number): void {
    if (this.#state.kind === "watching") this.#state.watch.close();
    const timer = this.#deps.clock.setTimer(() => this.#attempt(), delayMs);
    this.#state = { kind: "waiting", timer };
  }

  #report(): void {
    this.#gate.endpoints(this.#keys.endpoints, this.#keys.problem);
  }
}

/**
 * A member that has fallen behind, which would catch up; or one that was started anew with an empty store, where who waits
 * for the old revision hears nothing for days. Right after a read it can only be the former.
 */
function isBefore(header: ResponseHeader, { revision, raftTerm }: Position): boolean {
  return header.revision < revision || header.raftTerm < raftTerm;
}
