import { connect, type Socket } from "node:net";
import { createServer, type Server } from "node:tls";
import { type ChannelCredentials, credentials as grpcCredentials } from "@grpc/grpc-js";
import { testAuthority } from "./tls-certs.js";

/** Speaks TLS in front of a server on this machine that speaks plaintext, whatever kind of server that is. */
export class TlsFront {
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;
  #port = 0;

  private constructor(
    backPort: number,
    certificate: { readonly cert: Buffer; readonly key: Buffer },
    /** The authority to trust. */
    readonly ca: Buffer,
  ) {
    const { cert, key } = certificate;
    this.#server = createServer({ cert, key, ALPNProtocols: ["h2"] }, (front) => {
      const back = this.#keep(connect(backPort, "127.0.0.1"));
      this.#keep(front).pipe(back).pipe(front);
      front.on("close", () => back.destroy());
      back.on("close", () => front.destroy());
    });
    this.#server.on("tlsClientError", () => {});
  }

  /** Its certificate is for 127.0.0.1 and localhost. */
  static async start(backPort: number): Promise<TlsFront> {
    const certificate = await (await testAuthority()).server();
    const front = new TlsFront(backPort, certificate, certificate.ca);
    await new Promise<void>((resolve) => front.#server.listen(0, "127.0.0.1", resolve));
    front.#port = (front.#server.address() as { port: number }).port;
    return front;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  /** For `createChannel`. */
  get secure(): { readonly tls: { readonly ca: Buffer } } {
    return { tls: { ca: this.ca } };
  }

  /** For a plain grpc-js client. */
  get credentials(): ChannelCredentials {
    return grpcCredentials.createSsl(this.ca);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => this.#sockets.delete(socket));
    return socket;
  }
}
