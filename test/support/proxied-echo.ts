import { afterEach, beforeEach } from "vitest";
import { FaultProxy } from "./fault-proxy.js";
import { type LeakBaseline, leakBaseline } from "./leak-check.js";
import { EchoServer, PlainClient } from "./plain-tcp.js";

type ClientOptions = { readonly allowHalfOpen: boolean };

/** Before each test an echo server behind a fault proxy; after it all is closed and checked for leaks. */
export class ProxiedEcho {
  echo!: EchoServer;
  proxy!: FaultProxy;
  #clients: PlainClient[] = [];

  constructor() {
    let baseline: LeakBaseline;
    beforeEach(async () => {
      baseline = await leakBaseline();
      this.#clients = [];
      this.echo = await EchoServer.start();
      this.proxy = await FaultProxy.start(this.echo.port);
    });
    afterEach(async () => {
      await this.proxy.close();
      await Promise.all(this.#clients.map((client) => client.close()));
      await this.echo.close();
      await baseline.expectClean();
    });
  }

  /** A client that has begun to connect to the proxy. */
  dial(options?: ClientOptions): PlainClient {
    const client = new PlainClient(this.proxy.port, options);
    this.#clients.push(client);
    return client;
  }

  /** A client whose connection to the proxy stands. */
  async connect(options?: ClientOptions): Promise<PlainClient> {
    const client = this.dial(options);
    await client.connected;
    return client;
  }

  /** A client that has said "warm" and heard it back, so that both sockets of its connection stand. */
  async warm(options?: ClientOptions): Promise<PlainClient> {
    const client = await this.connect(options);
    client.say("warm");
    await client.received(4);
    return client;
  }
}
