import net, { type Socket } from "node:net";
import { turns } from "./event-loop.js";
import { Lane, type LaneHooks, type LaneLimit } from "./proxied-lane.js";

/** What happens to a connection from its first byte on. */
export type Fate =
  | { readonly kind: "pass" | "silence" | "drop-answers" }
  | { readonly kind: "limit"; readonly from: "client" | "server"; readonly limit: LaneLimit };

/** What a connection asks of, and tells, its proxy. */
export interface ConnectionHooks {
  latencyMs(): number;
  received(from: "client" | "server", bytes: number): void;
  /** Something about `isOpen` or `isGone` may have changed. */
  changed(): void;
}

/** One accepted connection and the one dialled for it, with a lane each way; `FaultProxy` says what befalls them. */
export class ProxiedConnection {
  readonly #client: Socket;
  /** Null if the target must never learn of this connection. */
  readonly #server: Socket | null;
  readonly #up: Lane;
  readonly #down: Lane | null;
  readonly #hooks: ConnectionHooks;
  #hasLostBytes: boolean;
  #clientEnded = false;
  #alive: number;

  constructor(client: Socket, targetPort: number, fate: Fate, hooks: ConnectionHooks) {
    this.#client = client;
    this.#hooks = hooks;
    this.#hasLostBytes = fate.kind === "silence" || fate.kind === "drop-answers";
    this.#server = fate.kind === "silence" ? null : dial(targetPort);
    this.#alive = this.#server === null ? 1 : 2;
    this.#up = new Lane(client, this.#server, this.#laneHooks("client"), limitFrom(fate, "client"));
    this.#down =
      this.#server && new Lane(this.#server, client, this.#laneHooks("server"), limitFrom(fate, "server"));
    if (fate.kind === "silence") this.#up.swallow();
    if (fate.kind === "drop-answers") this.#down?.swallow();
    this.#watch();
    client.resume();
  }

  /** False as well once the client has hung up on a connection whose other end cannot hear it. */
  get isOpen(): boolean {
    const isDeaf = this.#hasLostBytes || this.#up.isStalled || this.#down?.isStalled === true;
    return !this.isGone && !(this.#clientEnded && isDeaf);
  }

  /** Both sockets are closed. */
  get isGone(): boolean {
    return this.#alive === 0;
  }

  blackHole(): void {
    this.#hasLostBytes = true;
    this.#swallowAll();
  }

  dropAnswers(): void {
    this.#hasLostBytes = true;
    this.#down?.swallow();
    this.#hooks.changed();
  }

  /** Ends the fault: a stall goes on, a connection that lost bytes cannot and is reset. */
  heal(): void {
    if (this.#hasLostBytes) return this.reset();
    this.#up.release();
    this.#down?.release();
  }

  reset(): void {
    this.#swallowAll();
    for (const socket of this.#sockets()) {
      // Nothing is established yet, so there is nothing to reset; Node would dial first and reset afterwards.
      if (socket.connecting) socket.destroy();
      else if (!socket.destroyed) socket.resetAndDestroy();
    }
  }

  /** FIN both ways. */
  finish(): void {
    this.#swallowAll();
    for (const socket of this.#sockets()) socket.end();
  }

  /** FIN towards the client; what the client still says is passed on. */
  halfClose(): void {
    this.#down?.swallow();
    this.#client.end();
  }

  /** Resolves once both sockets are gone. */
  async destroy(): Promise<void> {
    this.#swallowAll();
    const open = this.#sockets().filter((socket) => !socket.closed);
    const closed = open.map((socket) => new Promise((resolve) => socket.once("close", resolve)));
    for (const socket of open) socket.destroy();
    await Promise.all(closed);
  }

  #sockets(): Socket[] {
    return this.#server === null ? [this.#client] : [this.#client, this.#server];
  }

  #swallowAll(): void {
    this.#up.swallow();
    this.#down?.swallow();
    this.#hooks.changed();
  }

  #laneHooks(from: "client" | "server"): LaneHooks {
    return {
      latencyMs: () => this.#hooks.latencyMs(),
      received: (bytes) => this.#hooks.received(from, bytes),
      // In a microtask, because a limit of 0 is reached before both lanes exist.
      cut: () => queueMicrotask(() => this.#swallowAll()),
      cutFlushed: () => void this.#resetOnceRead(),
    };
  }

  /**
   * A reader that finds the RST together with the last bytes reports a clean end (libuv), and one that finds it before
   * it noticed the connection reports a failed dial. Both live in this process as a rule, so a few turns of the loop
   * let them read first.
   */
  async #resetOnceRead(): Promise<void> {
    if (this.#server?.connecting)
      await new Promise((resolve) => this.#server?.once("connect", resolve).once("close", resolve));
    await turns(3);
    this.reset();
  }

  #watch(): void {
    this.#client.on("end", () => {
      this.#clientEnded = true;
      this.#hooks.changed();
    });
    this.#onClose(this.#client, this.#up, this.#server);
    if (this.#server !== null) this.#onClose(this.#server, this.#down, this.#client);
  }

  /** One side broke off: so does the other, unless a fault keeps the news from it. A clean FIN travels in the lane. */
  #onClose(socket: Socket, lane: Lane | null, other: Socket | null): void {
    // The reason shows in `close`; without a listener an ECONNRESET would end the test process.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#alive--;
      if (socket === this.#client) this.#clientEnded = true;
      const brokeOff = socket.errored !== null || !socket.readableEnded;
      if (brokeOff && !lane?.isSwallowing && other !== null && !other.destroyed) this.reset();
      this.#hooks.changed();
    });
  }
}

function dial(port: number): Socket {
  return net.connect({ host: "127.0.0.1", port, allowHalfOpen: true, noDelay: true });
}

function limitFrom(fate: Fate, side: "client" | "server"): LaneLimit | undefined {
  return fate.kind === "limit" && fate.from === side ? fate.limit : undefined;
}
