import type { Clock, Random } from "../core/index.js";
import type { ResolvedMemoryNetworkOptions } from "./memory-network-options.js";
import type { MemoryServer } from "./memory-server.js";
import { MemoryTopology } from "./memory-topology.js";

/** Gets one compact line per event: time, call, way, method, what happened. */
export type MemoryTrace = (line: string) => void;

/** What the calls of one `MemoryNetwork` share. */
export class MemoryState {
  readonly topology = new MemoryTopology();
  readonly servers = new Map<string, MemoryServer>();
  /** Requests that arrived, by address, over all its servers' lives. */
  readonly arrivals = new Map<string, number>();
  calls = 0;
  bytes = 0;

  constructor(
    public options: ResolvedMemoryNetworkOptions,
    readonly clock: Clock,
    readonly random: Random,
    readonly trace: MemoryTrace | null,
  ) {}

  countArrival(address: string): void {
    this.arrivals.set(address, (this.arrivals.get(address) ?? 0) + 1);
  }
}
