import { once } from "node:events";
import http from "node:http";
import net, { type AddressInfo, type Socket } from "node:net";

/** An HTTP proxy that carries connections by CONNECT, as in a company network. */
export class ConnectProxy {
  /** The authorities clients asked for, in order. */
  readonly asked: string[] = [];
  /** Answered instead of a connection, when set. */
  refusal: number | null = null;
  readonly #server = http.createServer();
  readonly #sockets = new Set<Socket>();

  private constructor(private readonly portOf: (authority: string) => number) {
    this.#server.on("connect", (request, socket) => this.#connect(String(request.url), socket as Socket));
  }

  /** @param portOf where an authority is, on 127.0.0.1: only the proxy needs to know */
  static async start(portOf: (authority: string) => number): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(portOf);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #connect(authority: string, client: Socket): void {
    this.asked.push(authority);
    this.#keep(client);
    if (this.refusal !== null) {
      client.end(`HTTP/1.1 ${this.refusal} No\r\n\r\n`);
      return;
    }
    const target = net.connect(this.portOf(authority), "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection established\r\n\r\n");
      client.pipe(target).pipe(client);
    });
    this.#keep(target);
    client.on("close", () => target.destroy());
    target.on("close", () => client.destroy());
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
  }
}
