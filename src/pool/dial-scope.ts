import { AsyncLocalStorage } from "node:async_hooks";
import { subscribe, unsubscribe } from "node:diagnostics_channel";
import type { Socket } from "node:net";
import { tlsErrorText } from "./tls-errors.js";

/** Node announces every client socket here, synchronously, before it connects. */
const SOCKET_CHANNEL = "net.client.socket";

/**
 * The sockets that one dial opened. grpc-js hands a socket out only once TCP is connected, so without this a dial
 * into silence could not be ended: its socket would linger until the kernel gives up, after two minutes.
 */
export class DialSockets {
  readonly #sockets = new Set<Socket>();
  /** The socket that became the connection. */
  #main: Socket | null = null;
  /** What the session writes to: the main socket, or TLS around it. */
  #carrier: Socket | null = null;
  #error: Error | null = null;
  #isDestroyed = false;
  /** Sockets that grpc-js is about to open for this dial. */
  #expected = 0;

  constructor(private readonly onClosed: () => void) {}

  /** grpc-js opens a socket next. */
  expect(): void {
    this.#expected++;
  }

  /** A socket was opened in this dial's async context: ours only when expected, for listeners run in it too. */
  onOpened(socket: Socket): void {
    if (this.#expected === 0) return;
    this.#expected--;
    this.#adopt(socket);
  }

  /** Takes charge of a socket, whatever its state. */
  #adopt(socket: Socket): void {
    if (this.#sockets.has(socket)) return;
    this.#sockets.add(socket);
    // A connection nobody uses must not keep the process alive; calls hold it by themselves. While TCP connects this
    // has no effect: libuv keeps the loop alive then, for as long as the dial's deadline allows.
    socket.unref();
    socket.on("error", (error) => {
      this.#error ??= error;
    });
    socket.once("close", () => {
      this.#sockets.delete(socket);
      if (socket === this.#main || this.#main === null) this.onClosed();
    });
    // Not at once: Node announces a socket before it connects it, and connecting one that is destroyed revives it.
    if (this.#isDestroyed) process.nextTick(() => socket.destroy());
  }

  /** Names the socket that carries the connection, once TCP stands. */
  settleOn(socket: Socket): void {
    this.#adopt(socket);
    this.#main = socket;
  }

  /** Names the socket that HTTP/2 uses, once TLS stands too. */
  carriedBy(carrier: Socket): void {
    this.#carrier = carrier;
  }

  /** Notes why the dial failed, when the failure is not an error of the socket itself (TLS). */
  fail(error: Error): void {
    this.#error ??= error;
  }

  /** The error in words, of one line: those of OpenSSL end with a break, which would tear a log line apart. */
  get error(): string | null {
    if (this.#error === null) return null;
    return (tlsErrorText(this.#error) ?? this.#error.message).trim().replace(/\s+/g, " ");
  }

  /** Why the dial failed, in words. */
  get failure(): string {
    if (this.error !== null) return this.error;
    if (!this.isConnected) return "the dial failed";
    if (this.#carrier === null) return "the connection closed before SETTINGS arrived";
    return this.#carrier === this.#main
      ? "the plaintext connection closed before SETTINGS arrived: the server may want TLS (tls, or credentials), or speak no HTTP/2"
      : "the connection closed after the TLS handshake, before SETTINGS arrived: the server may refuse this client's certificate, or miss it";
  }

  /** True once TCP was connected. */
  get isConnected(): boolean {
    return this.#main !== null;
  }

  get isClosed(): boolean {
    return this.#main !== null && (this.#main.destroyed || this.#main.closed);
  }

  /** Our side has hung up, as Node does at once when the session ends: its socket closes a little later. */
  get isEnded(): boolean {
    return this.isClosed || this.#carrier?.writableEnded === true;
  }

  get isDestroyed(): boolean {
    return this.#isDestroyed;
  }

  /** Bytes the peer has sent since the socket was opened: any growth proves that it lives. */
  get bytesRead(): number {
    return this.#main?.bytesRead ?? 0;
  }

  /** Keeps the process alive. */
  ref(): void {
    (this.#carrier ?? this.#main)?.ref();
  }

  unref(): void {
    (this.#carrier ?? this.#main)?.unref();
  }

  destroy(): void {
    this.#isDestroyed = true;
    for (const socket of this.#sockets) socket.destroy();
  }
}

/** Tells which dial a new socket belongs to: grpc-js opens it some promises later, but in the dial's async context. */
const scope = new AsyncLocalStorage<DialSockets>();
let openScopes = 0;

function onClientSocket(message: unknown): void {
  const { socket } = message as { socket: Socket };
  scope.getStore()?.onOpened(socket);
}

/**
 * Runs `start` so that every socket opened on its behalf is reported to `sockets`, until the returned function is
 * called. Nothing is hooked while no dial is under way.
 */
export function enterDialScope(sockets: DialSockets, start: () => void): () => void {
  if (openScopes++ === 0) subscribe(SOCKET_CHANNEL, onClientSocket);
  let isOpen = true;
  const leave = (): void => {
    if (!isOpen) return;
    isOpen = false;
    if (--openScopes > 0) return;
    unsubscribe(SOCKET_CHANNEL, onClientSocket);
    // An enabled AsyncLocalStorage taxes every promise of the process on Node 20.
    scope.disable();
  };
  scope.run(sockets, start);
  return leave;
}
