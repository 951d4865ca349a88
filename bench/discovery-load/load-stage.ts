import type { ConsulNode } from "../../scripts/consul-cluster.mjs";
import { createChannel, type DiscoveryOptions, type ResilientChannel, stubFor } from "../../src/index.js";
import { ConsulApi } from "../../test/support/consul-api.js";
import { ConsulProxy } from "../../test/support/consul-proxy.js";
import { CounterClient } from "../../test/support/counter-service.js";
import type { LoggedCall } from "../faults/call-log.js";
import { PacedCalls, type PacedClient } from "../faults/paced-calls.js";
import { EndpointLog } from "./endpoint-log.js";
import { Fleet } from "./fleet.js";

const SERVICE = "counter";
/** Patient, so that a call which fails has failed by what happens here, and not by a busy machine. */
const CALLS = { everyMs: 5, deadlineMs: 10_000 };

export interface LoadStageOptions {
  /** Where the servers are registered. */
  readonly consul: ConsulNode;
  /** Which of the servers the client follows. Default: all. */
  readonly tag?: string;
  readonly discovery: DiscoveryOptions;
}

/** Servers in a real Consul, and a client that follows them there with 200 calls a second. Consul is its owner's. */
export class LoadStage {
  readonly fleet: Fleet;
  readonly log = new EndpointLog();
  readonly channel: ResilientChannel;
  readonly calls: PacedCalls;
  readonly #client: PacedClient;

  private constructor(
    readonly proxy: ConsulProxy,
    { consul, tag, discovery }: LoadStageOptions,
  ) {
    this.fleet = new Fleet(new ConsulApi(consul), SERVICE);
    const target = `consul://${proxy.address}/${SERVICE}${tag === undefined ? "" : `?tag=${tag}`}`;
    this.channel = createChannel(target, {
      insecure: true,
      loadBalancing: "weighted_round_robin",
      discovery,
    });
    this.channel.onEvent((event) => this.log.hear(event));
    this.#client = { stub: stubFor(CounterClient, this.channel) };
    this.calls = new PacedCalls([this.#client], CALLS);
  }

  static async start(options: LoadStageOptions): Promise<LoadStage> {
    return new LoadStage(await ConsulProxy.start(options.consul.httpAddress), options);
  }

  /** Calls that have ended. */
  get ended(): readonly LoggedCall[] {
    return this.calls.logOf(this.#client);
  }

  async close(): Promise<void> {
    await this.calls.stop();
    await this.channel.close({ drainMs: 0 });
    await this.proxy.close();
    await this.fleet.close();
  }
}
