import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { Tally } from "./tally.js";

/** How a plain connection ended: `"fin"` after an orderly end, else the error code, such as `"ECONNRESET"`. */
export type EndOfConnection = "fin" | string;

/** A TCP client that remembers what it read and how it ended, to see a fault without any protocol in between. */
export class PlainClient {
  readonly socket: Socket;
  /** Resolves when the connection stands; rejects if it cannot. */
  readonly connected: Promise<unknown>;
  /** Resolves when the socket is closed, with how it came to that. */
  readonly ended: Promise<EndOfConnection>;
  readonly #received = new Tally("bytes received by the plain client");
  #text = "";

  /** @param options `allowHalfOpen` keeps the socket writable after the other side's FIN. */
  constructor(port: number, options: { readonly allowHalfOpen?: boolean } = {}) {
    this.socket = net.connect({ host: "127.0.0.1", port, noDelay: true, ...options });
    this.connected = once(this.socket, "connect");
    // Who dials a refusing port looks at `ended` alone.
    this.connected.catch(() => {});
    this.socket.on("data", (chunk) => {
      this.#text += chunk.toString("latin1");
      this.#received.add(chunk.length);
    });
    let code: string | undefined;
    this.socket.on("error", (error: NodeJS.ErrnoException) => {
      code = error.code;
    });
    this.ended = new Promise((resolve) => {
      this.socket.on("close", () => {
        this.#received.close();
        resolve(code ?? "fin");
      });
    });
  }

  /** Connects and waits until the connection stands. */
  static async connect(port: number, options?: { readonly allowHalfOpen?: boolean }): Promise<PlainClient> {
    const client = new PlainClient(port, options);
    await client.connected;
    return client;
  }

  get text(): string {
    return this.#text;
  }

  /** Resolves once `bytes` bytes have been read in total; rejects if the connection ends before. */
  received(bytes: number): Promise<void> {
    return this.#received.reached(bytes);
  }

  say(text: string): void {
    this.socket.write(text, "latin1");
  }

  async close(): Promise<void> {
    this.socket.destroy();
    await this.ended;
  }
}

/** A TCP server that sends back what it reads and remembers it; ends its side when the client ends its own. */
export class EchoServer {
  /** Code of the newest error on any of its connections. */
  lastError: string | undefined;
  readonly #server = net.createServer((socket) => this.#serve(socket));
  readonly #sockets = new Set<Socket>();
  readonly #received = new Tally("bytes received by the echo server");
  readonly #accepted = new Tally("connections to the echo server");
  readonly #closed = new Tally("closed connections of the echo server");
  #text = "";

  static async start(): Promise<EchoServer> {
    const echo = new EchoServer();
    echo.#server.listen(0, "127.0.0.1");
    await once(echo.#server, "listening");
    return echo;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get text(): string {
    return this.#text;
  }

  get acceptedCount(): number {
    return this.#accepted.count;
  }

  get openCount(): number {
    return this.#sockets.size;
  }

  /** Resolves once `bytes` bytes have been read in total, over all connections. */
  received(bytes: number): Promise<void> {
    return this.#received.reached(bytes);
  }

  /** Resolves once `count` connections have been closed in total. */
  closed(count: number): Promise<void> {
    return this.#closed.reached(count);
  }

  /** RST on every open connection, as by a process that crashed. */
  resetAll(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    for (const tally of [this.#received, this.#accepted, this.#closed]) tally.close();
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    this.#accepted.add();
    socket.on("data", (chunk) => {
      this.#text += chunk.toString("latin1");
      this.#received.add(chunk.length);
      socket.write(chunk);
    });
    socket.on("error", (error: NodeJS.ErrnoException) => {
      this.lastError = error.code;
    });
    socket.on("close", () => {
      this.#sockets.delete(socket);
      this.#closed.add();
    });
  }
}
