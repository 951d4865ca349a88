import { once } from "node:events";
import net, { type ListenOptions, type Socket } from "node:net";

/** A second address of a server: passes every connection on to a port of 127.0.0.1. */
export class Forwarder {
  /** Connections accepted ever. */
  connections = 0;
  readonly #sockets = new Set<Socket>();
  readonly #server: net.Server;

  private constructor(targetPort: number) {
    this.#server = net.createServer((socket) => {
      this.connections++;
      const target = net.connect(targetPort, "127.0.0.1");
      for (const [from, to] of [
        [socket, target],
        [target, socket],
      ] as const) {
        this.#sockets.add(from);
        from.on("error", () => {}).on("close", () => to.destroy());
        from.pipe(to);
      }
    });
  }

  /** @param at a socket path, or host and port, such as another address of the loopback network */
  static async start(targetPort: number, at: ListenOptions): Promise<Forwarder> {
    const forwarder = new Forwarder(targetPort);
    forwarder.#server.listen(at);
    await once(forwarder.#server, "listening");
    return forwarder;
  }

  /** Refuses connections from now on, and resets those that stand. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
