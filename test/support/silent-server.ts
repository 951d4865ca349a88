import { once } from "node:events";
import net, { type AddressInfo, type Socket } from "node:net";
import { Tally } from "./tally.js";

/** A TCP server that accepts and never says a word. */
export interface SilentServer {
  readonly port: number;
  readonly address: string;
  /** Connections accepted ever. */
  readonly acceptedCount: number;
  /** Connections whose client has not hung up. */
  readonly openCount: number;
  /** Resolves once `count` connections (default 1) have been accepted in total. */
  accepted(count?: number): Promise<void>;
  /** Resolves once every client has hung up, at once if there is none. */
  allClosed(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Imitates a hung server, or a port that belongs to something that is not gRPC: the connect succeeds, the HTTP/2
 * preface is read, no SETTINGS ever come. grpc-js stays CONNECTING for ever.
 */
export async function acceptOnly(): Promise<SilentServer> {
  const open = new Set<Socket>();
  const accepted = new Tally("connections to the silent server");
  let closedWaiters: (() => void)[] = [];
  const hungUp = (socket: Socket): void => {
    open.delete(socket);
    if (open.size > 0) return;
    for (const resolve of closedWaiters) resolve();
    closedWaiters = [];
  };
  const server = net.createServer((socket) => {
    open.add(socket);
    // Read, or the client's FIN would wait unnoticed behind its bytes.
    socket.resume();
    socket.on("error", () => {});
    socket.on("close", () => hungUp(socket));
    accepted.add();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    port,
    address: `127.0.0.1:${port}`,
    get acceptedCount() {
      return accepted.count;
    },
    get openCount() {
      return open.size;
    },
    accepted: (count = 1) => accepted.reached(count),
    async allClosed() {
      if (open.size > 0) await new Promise<void>((resolve) => closedWaiters.push(resolve));
    },
    async close() {
      accepted.close();
      if (!server.listening) return;
      const closed = once(server, "close");
      server.close();
      for (const socket of open) socket.destroy();
      await closed;
    },
  };
}
