import net, { type Socket } from "node:net";
import { turns } from "./event-loop.js";

/** The ways a connection is cut: RST both ways, FIN both ways, or nothing passes any more and nobody is told. */
export const CUTS = ["reset", "close", "black hole"] as const;
export type Cut = (typeof CUTS)[number];

/** Where the bytes are counted that pass before the cut. */
export const SIDES = ["client", "server"] as const;
export type Side = (typeof SIDES)[number];

/** Cuts after exactly `bytes` more bytes of one side have passed. */
export interface CutPlan {
  readonly cut: Cut;
  readonly side: Side;
  readonly bytes: number;
}

/**
 * A TCP proxy for one call at a time that cuts the connection at a given byte, also in the middle of a connection
 * that has carried calls before. `FaultProxy` sets the fate of connections not yet made, for many calls together.
 */
export class CutProxy {
  readonly #door: net.Server;
  readonly #sockets = new Set<Socket>();
  readonly #passed = { client: 0, server: 0 };
  #plan: CutPlan | null = null;
  /** Bytes that may still pass before the cut. */
  #room = 0;

  private constructor(private readonly targetPort: number) {
    this.#door = net.createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(targetPort: number): Promise<CutProxy> {
    const proxy = new CutProxy(targetPort);
    await new Promise<void>((resolve) => proxy.#door.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#door.address() as net.AddressInfo).port}`;
  }

  /** Bytes passed on since this was last asked. */
  takeCounts(): Record<Side, number> {
    const counts = { ...this.#passed };
    Object.assign(this.#passed, { client: 0, server: 0 });
    return counts;
  }

  /** From now on: the connection that is open, or else the next one, is cut so. Later connections pass. */
  arm(plan: CutPlan): void {
    this.#plan = plan;
    this.#room = plan.bytes;
  }

  /** Ends what is open and forgets the plan, ready for another call; resolves once all sockets are gone. */
  async reset(): Promise<void> {
    this.#plan = null;
    const open = [...this.#sockets].filter((socket) => !socket.closed);
    const closed = open.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of open) socket.destroy();
    await Promise.all(closed);
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#door.close(resolve));
    await this.reset();
    await closed;
  }

  #accept(client: Socket): void {
    const server = net.connect({
      host: "127.0.0.1",
      port: this.targetPort,
      allowHalfOpen: true,
      noDelay: true,
    });
    const pair = new Pair(client, server);
    for (const socket of [client, server]) {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => this.#sockets.delete(socket));
    }
    this.#carry(pair, "client", client, server);
    this.#carry(pair, "server", server, client);
    if (this.#plan?.bytes === 0) this.#cut(pair);
  }

  #carry(pair: Pair, side: Side, from: Socket, to: Socket): void {
    from.on("data", (chunk: Buffer) => {
      if (pair.isCut) return;
      const isCounted = this.#plan?.side === side;
      // A plan for 0 bytes of a connection that is open already begins with the first byte that would pass.
      const allowed = isCounted ? chunk.subarray(0, this.#room) : chunk;
      this.#passed[side] += allowed.length;
      if (isCounted) this.#room -= allowed.length;
      const isOver = isCounted && this.#room === 0;
      if (isOver) this.#cut(pair, () => new Promise((done) => to.write(allowed, done)));
      else to.write(allowed);
    });
    from.on("end", () => {
      if (!pair.isCut) to.end();
    });
    from.on("close", () => pair.brokeOff(from, to));
  }

  /** Cuts once the last allowed bytes have been read: a reader that finds the RST beside them would drop them. */
  #cut(pair: Pair, passTheRest: () => Promise<unknown> = () => turns(0)): void {
    const { cut } = this.#plan as CutPlan;
    this.#plan = null;
    pair.isCut = true;
    void passTheRest().then(() => pair.end(cut));
  }
}

/** The two sockets of one proxied connection. */
class Pair {
  isCut = false;

  constructor(
    private readonly client: Socket,
    private readonly server: Socket,
  ) {}

  async end(cut: Cut): Promise<void> {
    if (cut === "black hole") return;
    // Nothing is established yet, so there is nothing to cut.
    if (this.server.connecting) await new Promise((resolve) => this.server.once("connect", resolve));
    await turns(3);
    for (const socket of [this.client, this.server]) {
      if (cut === "close") socket.end();
      else if (!socket.destroyed) socket.resetAndDestroy();
    }
  }

  /** One side is gone without an order to cut: so is the other. Behind a black hole the news does not travel. */
  brokeOff(from: Socket, to: Socket): void {
    if (!this.isCut && (from.errored !== null || !from.readableEnded)) to.resetAndDestroy();
    else if (!this.isCut) to.end();
  }
}

/** Runs `work` on each item, `workers` of them at a time, each with a helper of its own. */
export async function spread<T, H>(
  items: readonly T[],
  workers: number,
  hire: () => Promise<H>,
  work: (item: T, helper: H) => Promise<void>,
): Promise<H[]> {
  const queue = items.values();
  const helpers = await Promise.all(Array.from({ length: workers }, hire));
  await Promise.all(
    helpers.map(async (helper) => {
      for (const item of queue) await work(item, helper);
    }),
  );
  return helpers;
}
