import {
  type Clock,
  parseOptions,
  type Random,
  Subscription,
  systemClock,
  systemRandom,
} from "../core/index.js";
import type { KvHandler } from "./kv-messages.js";
import { kvMethods } from "./kv-service.js";
import { MemoryLink } from "./memory-link.js";
import { type MemoryNetworkOptions, memoryNetworkOptionsSchema } from "./memory-network-options.js";
import { MemoryServer } from "./memory-server.js";
import { MemoryState, type MemoryTrace } from "./memory-state.js";
import type { CommandCodec, RaftHandler } from "./raft-messages.js";
import { raftMethods } from "./raft-service.js";
import type { LinkFactory, UnaryLink } from "./unary-link.js";

/** What a `MemoryNetwork` works with, beside its options. */
export interface MemoryNetworkCollaborators {
  /** Default: the machine's own. */
  readonly clock?: Clock;
  /** Default: the machine's own. A seeded one makes the same calls meet the same fate. */
  readonly random?: Random;
  /** Hears every event as one compact line. */
  readonly trace?: MemoryTrace;
}

/** What a server on a `MemoryNetwork` serves. A call to a service that it lacks ends as `rejected`, UNIMPLEMENTED. */
export interface MemoryServices<Command = Uint8Array> {
  readonly raft?: RaftHandler<Command>;
  readonly kv?: KvHandler;
  /** Turns the bytes of a log entry into a command. Default: bytes stay bytes. */
  readonly commandCodec?: CommandCodec<Command>;
}

/** What has gone over a `MemoryNetwork`; plain data. */
export interface MemoryNetworkStats {
  /** Calls that left a link, those that found no way included. */
  readonly calls: number;
  /** Bytes of their requests, and of the replies that callers heard. */
  readonly bytes: number;
  /** Requests that arrived, by address, second arrivals included; a restart does not begin anew. */
  readonly perServer: Readonly<Record<string, number>>;
}

/**
 * Servers and links in one process, with the faults of labrpc's network and the same encoding as on a real one, so that
 * no object is shared. With the same seed, clock and calls it does the same again.
 *
 * - A call to where there is no server, or no way, fails as `unreachable` after a while (processed `no`).
 * - A message passes when the way is open both as it leaves and as it arrives. A lost one is not told to anybody: where
 *   labrpc's call returns false, ours ends with its own timeout (processed `maybe`).
 * - A server that is removed or replaced says no more: requests under way to it never run, and calls that it runs get
 *   no reply.
 * - A caller that gives up, by timeout or cancel, calls nothing back: its request still arrives and runs. Only closing
 *   the link takes its messages off the network.
 */
export class MemoryNetwork {
  readonly #state: MemoryState;

  /** @throws ResilienceError `CONFIG_INVALID` naming every problem of the options */
  constructor(options: MemoryNetworkOptions & MemoryNetworkCollaborators = {}) {
    const { clock = systemClock, random = systemRandom, trace = null, ...behaviour } = options;
    const resolved = parseOptions(memoryNetworkOptionsSchema, behaviour, "MemoryNetwork");
    this.#state = new MemoryState(resolved, clock, random, trace);
  }

  /**
   * Starts the server at the address, in the place of one that is there. Disposing what it returns removes it, unless
   * it was replaced before.
   * @throws ResilienceError `CONFIG_INVALID` naming each method that a handler lacks
   */
  serve<Command = Uint8Array>(address: string, services: MemoryServices<Command>): Subscription {
    const { raft, kv, commandCodec } = services;
    const server = new MemoryServer([
      ...(raft === undefined ? [] : raftMethods(raft, commandCodec)),
      ...(kv === undefined ? [] : kvMethods(kv)),
    ]);
    this.remove(address);
    this.#state.servers.set(address, server);
    return new Subscription(() => {
      if (!server.isGone) this.remove(address);
    });
  }

  /** Crashes the server at the address, if there is one. */
  remove(address: string): void {
    const server = this.#state.servers.get(address);
    if (server === undefined) return;
    server.isGone = true;
    this.#state.servers.delete(address);
  }

  /** For whoever lives at `from`, a node or a client of any name: makes its links to others. */
  linksFrom(from: string): LinkFactory {
    return (to) => this.link(from, to);
  }

  /** The link whose calls go from one address to another; neither needs a server. */
  link(from: string, to: string): UnaryLink {
    return new MemoryLink(this.#state, from, to);
  }

  /**
   * Lets messages pass only within a group, in the place of an earlier partition. Addresses in no group, clients as a
   * rule, go on reaching everybody: to isolate one, give it a group of its own.
   * @throws ResilienceError `CONFIG_INVALID` when an address stands in two groups
   */
  partition(groups: readonly (readonly string[])[]): void {
    this.#state.topology.partition(groups);
  }

  /** Ends the partition; cuts stay. */
  heal(): void {
    this.#state.topology.heal();
  }

  /** Stops what is sent from one address to the other, and back unless `oneWay`. */
  cut(from: string, to: string, { oneWay = false }: { readonly oneWay?: boolean } = {}): void {
    this.#state.topology.cut(from, to);
    if (!oneWay) this.#state.topology.cut(to, from);
  }

  /** Undoes a cut, in both directions unless `oneWay`. */
  mend(from: string, to: string, { oneWay = false }: { readonly oneWay?: boolean } = {}): void {
    this.#state.topology.mend(from, to);
    if (!oneWay) this.#state.topology.mend(to, from);
  }

  /** Holds for calls that begin from now on, as all the switches do. */
  setReliable(reliable: boolean): void {
    this.#switch({ reliable });
  }

  setLongReordering(longReordering: boolean): void {
    this.#switch({ longReordering });
  }

  setLongDelays(longDelays: boolean): void {
    this.#switch({ longDelays });
  }

  /** @throws ResilienceError `CONFIG_INVALID` when it is not 0-1 */
  setDuplicateRatio(duplicateRatio: number): void {
    this.#switch({ duplicateRatio });
  }

  stats(): MemoryNetworkStats {
    const { calls, bytes, arrivals } = this.#state;
    return { calls, bytes, perServer: Object.fromEntries(arrivals) };
  }

  #switch(change: MemoryNetworkOptions): void {
    const options = { ...this.#state.options, ...change };
    this.#state.options = parseOptions(memoryNetworkOptionsSchema, options, "MemoryNetwork");
  }
}
