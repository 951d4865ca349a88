import { AsyncResource } from "node:async_hooks";
import { credentials } from "@grpc/grpc-js";
import { type ChannelEvent, type ConnectivityWord, EventHub, type Random } from "../../src/core/index.js";
import type { Connection } from "../../src/pool/connection.js";
import { type EndpointGate, openGate } from "../../src/pool/endpoint-gate.js";
import { EndpointPool } from "../../src/pool/endpoint-pool.js";
import type { PickerPolicy } from "../../src/pool/pickers/index.js";
import { policyOf } from "../../src/pool/pickers/registry.js";
import { poolOptionsSchema } from "../../src/pool/pool-options.js";
import { Standing } from "../../src/pool/standing.js";
import { FakeNetwork } from "../support/fake-network.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";

export const A = "10.0.0.1:1";
export const B = "10.0.0.2:1";
export const C = "10.0.0.3:1";

/** A breaker that a test opens and closes by hand, and that counts what it is told. */
export interface FakeGate extends EndpointGate {
  isOpen: boolean;
  failures: number;
}

/** A call without anything of its own. */
export const CALL = { path: "/test.Echo/Say", hashKey: null, now: 0, header: () => null };

/** A pool with its surroundings. */
export class PoolBench {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork(this.clock);
  readonly words: ConnectivityWord[] = [];
  readonly events: ChannelEvent[] = [];
  readonly gates = new Map<string, FakeGate>();
  troubles = 0;
  readonly pool: EndpointPool;

  constructor(options: object = {}, random: Random = fixedRandom(0), policy?: PickerPolicy) {
    const resolved = poolOptionsSchema.parse(options);
    const events = new EventHub();
    events.subscribe((event) => void this.events.push(event));
    this.pool = new EndpointPool("static:///test", resolved, {
      clock: this.clock,
      credentials: () => credentials.createInsecure(),
      makeChannel: this.network.makeChannel,
      lookup: this.network.lookup,
      isWatched: false,
      context: new AsyncResource("test"),
      random,
      events,
      policy: policy ?? policyOf(resolved.loadBalancing, () => {}),
      standingFor: (address) => this.standingOf(address),
      onTrouble: () => {
        this.troubles++;
      },
      onState: (word) => {
        if (this.words.at(-1) !== word) this.words.push(word);
      },
    });
  }

  /** Sets the endpoints, in this order. */
  set(...addresses: string[]): { added: string[]; removed: string[] } {
    return this.pool.update(addresses.map((address) => ({ address })));
  }

  /** A pool of these endpoints, connected as its policy asks for. */
  async connected(...addresses: string[]): Promise<this> {
    this.pool.connect();
    this.set(...addresses);
    await settle();
    return this;
  }

  /** Where the next attempts go: an address, "queue", or the reason of a failure. */
  picks(count: number, tried: readonly string[] = [], isWaitingForReady = false): string[] {
    const filter =
      tried.length === 0
        ? null
        : { accepts: ({ endpoint }: { endpoint: { address: string } }) => !tried.includes(endpoint.address) };
    return Array.from({ length: count }, () => {
      const result = this.pool.pick(CALL, filter, isWaitingForReady);
      if (result === "queue") return "queue";
      return "kind" in result ? result.reason : result.address;
    });
  }

  connection(address: string): Connection {
    const [found] = this.subchannel(address).connections;
    if (found === undefined) throw new Error(`${address} is not READY`);
    return found;
  }

  subchannel(address: string) {
    const found = this.pool.subchannels.find(({ endpoint }) => endpoint.address === address);
    if (found === undefined) throw new Error(`${address} is not in the set`);
    return found;
  }

  gate(address: string): FakeGate {
    const gate = this.gates.get(address);
    if (gate === undefined) throw new Error(`${address} has no breaker`);
    return gate;
  }

  /** State of each endpoint, in order. */
  get states(): string[] {
    return this.pool.subchannels.map(({ state }) => state);
  }

  get openSockets(): number {
    return this.network.dials.filter((dial) => !dial.socket.destroyed).length;
  }

  /** As a channel has it: one for each address, for as long as it is in the set. */
  standingOf(address: string): Standing {
    const known = this.pool.at(address)?.standing;
    return known ?? new Standing({ gate: this.#gateFor(address) });
  }

  #gateFor(address: string): FakeGate {
    let isOpen = false;
    const { pool } = this;
    const gate: FakeGate = {
      ...openGate,
      get state() {
        return isOpen ? "open" : "closed";
      },
      get isOpen() {
        return isOpen;
      },
      // As a breaker does, it tells of the change.
      set isOpen(value) {
        isOpen = value;
        pool.reassess(address);
      },
      failures: 0,
      admits: () => !isOpen,
      fail: () => {
        gate.failures++;
      },
    };
    this.gates.set(address, gate);
    return gate;
  }
}
