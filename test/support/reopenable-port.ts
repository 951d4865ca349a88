import { once } from "node:events";
import net from "node:net";
import { setTimeout as delay } from "node:timers/promises";

const LOOPBACK = "127.0.0.1";

/** A listening socket that can be shut, so that the kernel refuses connections, and opened again on the same port. */
export class ReopenablePort {
  readonly #onConnection: (socket: net.Socket) => void;
  #port = 0;
  #server: net.Server | null = null;
  #wanted = false;
  #opening: Promise<void> = Promise.resolve();

  private constructor(onConnection: (socket: net.Socket) => void) {
    this.#onConnection = onConnection;
  }

  /** Sockets come paused, so that no byte is lost before their new owner listens, and allow half-closing. */
  static async listen(onConnection: (socket: net.Socket) => void): Promise<ReopenablePort> {
    const port = new ReopenablePort(onConnection);
    await port.open();
    return port;
  }

  get port(): number {
    return this.#port;
  }

  /** Resolves once connections are accepted; does nothing if they already are. */
  open(): Promise<void> {
    if (!this.#wanted) {
      this.#wanted = true;
      this.#opening = this.#opening.then(() => this.#openNow());
    }
    return this.#opening;
  }

  /** From here on a connect gets ECONNREFUSED; connections already accepted live on. */
  shut(): void {
    this.#wanted = false;
    this.#server?.close();
    this.#server = null;
  }

  async close(): Promise<void> {
    this.shut();
    await this.#opening;
  }

  async #openNow(): Promise<void> {
    if (!this.#wanted || this.#server !== null) return;
    const server = await retryWhileInUse(() => this.#bind());
    this.#port = (server.address() as net.AddressInfo).port;
    if (this.#wanted) this.#server = server;
    else server.close();
  }

  async #bind(): Promise<net.Server> {
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true });
    server.on("connection", this.#onConnection);
    server.listen(this.#port, LOOPBACK);
    await once(server, "listening");
    return server;
  }
}

/**
 * While a port is shut, an outgoing connection of any process may be given its number for a moment: binding it again
 * is tried for two seconds before the error counts.
 */
export async function retryWhileInUse<T>(bind: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await bind();
    } catch (error) {
      if (attempt === 40 || !String(error).includes("EADDRINUSE")) throw error;
      await delay(50);
    }
  }
}
