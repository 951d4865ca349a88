import type { Socket } from "node:net";
import { type Fate, ProxiedConnection } from "./proxied-connection.js";
import type { LaneLimit } from "./proxied-lane.js";
import { ReopenablePort } from "./reopenable-port.js";
import { Tally } from "./tally.js";

/**
 * A TCP proxy in front of one port of this machine that imitates outages, switched while connections are open. Faults
 * act at once on the connections they name; the promise they return resolves when new connections meet them as well.
 * A fault replaces the one before it, except that `delayMs` combines with all; `pass()` ends everything.
 */
export class FaultProxy {
  readonly #targetPort: number;
  readonly #connections = new Set<ProxiedConnection>();
  readonly #accepted = new Tally("proxied connections");
  readonly #fromClient = new Tally("bytes from clients");
  readonly #fromServer = new Tally("bytes from the server");
  readonly #flaps = new Tally("flaps");
  readonly #closedWaiters = new Set<() => void>();
  #door: ReopenablePort | undefined;
  #fate: Fate = { kind: "pass" };
  #latencyMs = 0;
  #flapTimer: NodeJS.Timeout | undefined;
  #isClosed = false;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
  }

  static async start(targetPort: number): Promise<FaultProxy> {
    const proxy = new FaultProxy(targetPort);
    proxy.#door = await ReopenablePort.listen((socket) => proxy.#accept(socket));
    return proxy;
  }

  get port(): number {
    return this.#door?.port ?? 0;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections accepted ever. */
  get connections(): number {
    return this.#accepted.count;
  }

  /** Connections open now; one whose client hung up while a fault keeps that from the server is not open. */
  get open(): number {
    return [...this.#connections].filter((connection) => connection.isOpen).length;
  }

  /** Bytes that arrived from clients, passed on or not. */
  get bytesFromClient(): number {
    return this.#fromClient.count;
  }

  /** Bytes that arrived from the server, passed on or not. */
  get bytesFromServer(): number {
    return this.#fromServer.count;
  }

  /** Resolves once `count` connections (default 1) have been accepted in total. */
  connected(count = 1): Promise<void> {
    return this.#accepted.reached(count);
  }

  /** Resolves once `bytes` bytes have arrived from clients in total, whatever became of them. */
  clientBytes(bytes: number): Promise<void> {
    return this.#fromClient.reached(bytes);
  }

  /** Resolves once `bytes` bytes have arrived from the server in total, whatever became of them. */
  serverBytes(bytes: number): Promise<void> {
    return this.#fromServer.reached(bytes);
  }

  /** Resolves once `flap` has changed between down and up `count` times in total. */
  flapped(count: number): Promise<void> {
    return this.#flaps.reached(count);
  }

  /** Resolves once no connection is open, at once if none is. */
  async allClosed(): Promise<void> {
    if (this.open > 0) await new Promise<void>((resolve) => this.#closedWaiters.add(resolve));
  }

  /**
   * The outage is over: no fault, no delay, and the port listens again. Stalled connections go on; those that lost
   * bytes are reset, as by a peer or a NAT that has forgotten them, because resuming after a gap gives nonsense.
   */
  async pass(): Promise<void> {
    this.#latencyMs = 0;
    for (const connection of this.#connections) connection.heal();
    await this.#newConnections({ kind: "pass" });
  }

  /** A server process that is down on a host that is up: a connect gets ECONNREFUSED. Open connections live on. */
  async refuse(): Promise<void> {
    this.#stopFlapping();
    this.#door?.shut();
  }

  /**
   * A hung server whose kernel still accepts, or a load balancer with nothing behind it: new connections are accepted,
   * nothing is forwarded, no answer comes. Open connections live on.
   */
  acceptThenSilence(): Promise<void> {
    return this.#newConnections({ kind: "silence" });
  }

  /** A network that drops every packet: no byte, FIN or RST passes on open or new connections; they stay open. */
  blackHole(): Promise<void> {
    this.blackHoleOpen();
    return this.#newConnections({ kind: "silence" });
  }

  /** A firewall or NAT that forgot its connections: those open now drop every packet, new ones are fine. */
  blackHoleOpen(): void {
    for (const connection of this.#connections) connection.blackHole();
  }

  /** A network broken in one direction: requests arrive and are executed, answers are lost; also on new connections. */
  dropAnswers(): Promise<void> {
    for (const connection of this.#connections) connection.dropAnswers();
    return this.#newConnections({ kind: "drop-answers" });
  }

  /** A crashed or failed-over peer: every open connection gets an RST now, both ways. New ones are as before. */
  resetAll(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** A load balancer that drops one of several connections: the oldest open one gets an RST, both ways. */
  resetOldest(): void {
    this.#oldest?.reset();
  }

  /** A NAT that forgot one of several connections: the oldest open one drops every packet. */
  blackHoleOldest(): void {
    this.#oldest?.blackHole();
  }

  /** A peer or load balancer that shuts down in order: FIN on every open connection, both ways, without GOAWAY. */
  closeAll(): void {
    for (const connection of this.#connections) connection.finish();
  }

  /** A middlebox that ends its client side only: FIN to every client; what a client still sends reaches the server. */
  halfClose(): void {
    for (const connection of this.#connections) connection.halfClose();
  }

  /** A connection that breaks inside a request: new ones get an RST, both ways, after exactly `bytes` from the client. */
  resetAfterClientBytes(bytes: number): Promise<void> {
    return this.#limit("client", { bytes, action: "reset" });
  }

  /** A connection that breaks inside an answer: new ones get an RST, both ways, after exactly `bytes` from the server. */
  resetAfterServerBytes(bytes: number): Promise<void> {
    return this.#limit("server", { bytes, action: "reset" });
  }

  /** A path that passes small packets only (MTU), or a peer that stops reading: new connections pass `bytes`, then hang. */
  stallAfterClientBytes(bytes: number): Promise<void> {
    return this.#limit("client", { bytes, action: "stall" });
  }

  /** The same towards the client: handshake and small answers arrive, a large answer hangs half-way. */
  stallAfterServerBytes(bytes: number): Promise<void> {
    return this.#limit("server", { bytes, action: "stall" });
  }

  /** A long or congested path: every byte and FIN takes `ms` longer each way, on open and new connections. 0 ends it. */
  delayMs(ms: number): void {
    this.#latencyMs = ms;
  }

  /** A crash loop or a bad cable: at once and then every `everyMs`, down (open connections reset, new ones refused) or up. */
  flap(everyMs: number): void {
    this.#stopFlapping();
    this.#fate = { kind: "pass" };
    const toggle = (goDown: boolean): void => {
      this.#flapTimer = setTimeout(() => toggle(!goDown), everyMs);
      if (goDown) {
        this.#door?.shut();
        this.resetAll();
      } else void this.#door?.open();
      this.#flaps.add();
    };
    if (!this.#isClosed) toggle(true);
  }

  /** Stops listening, destroys every connection and waits until their sockets are gone. */
  async close(): Promise<void> {
    this.#isClosed = true;
    this.#stopFlapping();
    await this.#door?.close();
    await Promise.all([...this.#connections].map((connection) => connection.destroy()));
    for (const tally of [this.#accepted, this.#fromClient, this.#fromServer, this.#flaps]) tally.close();
  }

  get #oldest(): ProxiedConnection | undefined {
    return [...this.#connections].find((connection) => connection.isOpen);
  }

  #limit(from: "client" | "server", limit: LaneLimit): Promise<void> {
    return this.#newConnections({ kind: "limit", from, limit });
  }

  async #newConnections(fate: Fate): Promise<void> {
    this.#stopFlapping();
    this.#fate = fate;
    if (!this.#isClosed) await this.#door?.open();
  }

  #stopFlapping(): void {
    clearTimeout(this.#flapTimer);
    this.#flapTimer = undefined;
  }

  #accept(socket: Socket): void {
    if (this.#isClosed) return void socket.destroy();
    const connection: ProxiedConnection = new ProxiedConnection(socket, this.#targetPort, this.#fate, {
      latencyMs: () => this.#latencyMs,
      received: (from, bytes) => (from === "client" ? this.#fromClient : this.#fromServer).add(bytes),
      changed: () => this.#changed(),
    });
    this.#connections.add(connection);
    this.#accepted.add();
  }

  #changed(): void {
    for (const connection of this.#connections) if (connection.isGone) this.#connections.delete(connection);
    if (this.open > 0) return;
    for (const resolve of this.#closedWaiters) resolve();
    this.#closedWaiters.clear();
  }
}
