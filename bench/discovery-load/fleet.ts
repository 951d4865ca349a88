import type { ConsulApi } from "../../test/support/consul-api.js";
import { ttlCheck } from "../../test/support/consul-api.js";
import { CountingServer } from "../../test/support/counting-server.js";

/** Long enough that calls are in flight whatever happens. */
const ANSWER_MS = 10;

/** How a server stands in Consul. */
export interface Entry {
  readonly tags: readonly string[];
  readonly weight: number;
}

/** A server of the fleet. */
export interface Member {
  readonly id: string;
  readonly server: CountingServer;
  readonly address: string;
}

/** Servers of one service, put into Consul and taken out as an operator would: nothing of ours is between. */
export class Fleet {
  readonly #all: Member[] = [];

  constructor(
    private readonly api: ConsulApi,
    readonly service: string,
  ) {}

  /** Every server that ever was. */
  get all(): readonly Member[] {
    return this.#all;
  }

  /** Starts servers on ports of their own; Consul does not know them yet. */
  start(count: number): Promise<Member[]> {
    return Promise.all(Array.from({ length: count }, () => this.#startOne()));
  }

  /** Puts servers in, or changes how they stand there, all at once. */
  async announce(members: readonly Member[], { tags, weight }: Entry): Promise<void> {
    await Promise.all(
      members.map(({ id, server }) =>
        this.api.register({
          Name: this.service,
          ID: id,
          Address: "127.0.0.1",
          Port: server.port,
          Tags: tags,
          Weights: { Passing: weight, Warning: 1 },
          Check: ttlCheck(`service:${id}`),
        }),
      ),
    );
  }

  async withdraw(members: readonly Member[]): Promise<void> {
    await Promise.all(members.map(({ id }) => this.api.deregister(id)));
  }

  /** As a server that is deployed anew: no new connections, what runs may finish. */
  async drain(members: readonly Member[]): Promise<void> {
    await Promise.all(members.map(({ server }) => server.drain()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#all.map(({ server }) => server.close()));
  }

  async #startOne(): Promise<Member> {
    const server = await CountingServer.start({
      handler: (call, callback) => void setTimeout(callback, ANSWER_MS, null, call.request),
    });
    const member = { id: `${this.service}-${this.#all.length + 1}`, server, address: server.address };
    this.#all.push(member);
    return member;
  }
}
