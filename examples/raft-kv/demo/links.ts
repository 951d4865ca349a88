import { FaultProxy } from "../../../test/support/fault-proxy.js";

/** Every way that leads to a node, each through a proxy of its own, so that one can be cut without the others. */
export class Links {
  /** From the client to each node. */
  readonly #fromClient: readonly FaultProxy[];
  /** From each node (row) to each other (column). */
  readonly #between: readonly (readonly (FaultProxy | undefined)[])[];

  private constructor(fromClient: FaultProxy[], between: (FaultProxy | undefined)[][]) {
    this.#fromClient = fromClient;
    this.#between = between;
  }

  static async start(ports: readonly number[]): Promise<Links> {
    const between = ports.map((_from, from) =>
      Promise.all(ports.map((port, to) => (from === to ? undefined : FaultProxy.start(port)))),
    );
    const fromClient = ports.map((port) => FaultProxy.start(port));
    return new Links(await Promise.all(fromClient), await Promise.all(between));
  }

  /** Where the client finds the nodes. */
  get clientAddresses(): readonly string[] {
    return this.#fromClient.map((proxy) => proxy.address);
  }

  /** Where one node finds the others; its own place holds `own`. */
  peerAddresses(node: number, own: string): readonly string[] {
    return this.#between[node]!.map((proxy) => proxy?.address ?? own);
  }

  /** Loses every packet between this node and the others, and the client's too if asked. */
  async cutOff(node: number, fromClientToo: boolean): Promise<void> {
    await Promise.all(this.#around(node, fromClientToo).map((proxy) => proxy.blackHole()));
  }

  /** All links pass again; connections that lost bytes are reset. */
  async heal(): Promise<void> {
    await Promise.all(this.#all().map((proxy) => proxy.pass()));
  }

  async close(): Promise<void> {
    await Promise.all(this.#all().map((proxy) => proxy.close()));
  }

  #around(node: number, fromClientToo: boolean): FaultProxy[] {
    const out = this.#between[node]!;
    const back = this.#between.map((row) => row[node]);
    const client = fromClientToo ? [this.#fromClient[node]] : [];
    return [...out, ...back, ...client].filter((proxy) => proxy !== undefined);
  }

  #all(): FaultProxy[] {
    return [...this.#fromClient, ...this.#between.flat()].filter((proxy) => proxy !== undefined);
  }
}
