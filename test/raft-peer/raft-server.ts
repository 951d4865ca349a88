import * as grpc from "@grpc/grpc-js";
import { addRaftService, type CommandCodec, type RaftHandler } from "../../src/raft-peer/index.js";
import { quietHandler } from "./peer-contract.js";

export interface RaftServerOptions<Command> {
  readonly commandCodec?: CommandCodec<Command>;
  readonly credentials?: grpc.ServerCredentials;
  readonly port?: number;
  /** Puts further services on the server. */
  readonly add?: (server: grpc.Server) => void;
}

/** A Raft core on a real gRPC server that knows who called what. */
export class RaftServer {
  /** Methods by their full paths, in the order in which they were called. */
  readonly paths: string[] = [];
  /** Client sockets that ever carried a call. */
  readonly peers = new Set<string>();
  address = "";
  readonly #server = new grpc.Server({
    "grpc.max_receive_message_length": 4_194_304,
    interceptors: [
      (method, call) => {
        this.paths.push(method.path);
        this.peers.add(call.getPeer());
        return new grpc.ServerInterceptingCall(call);
      },
    ],
  });

  /** Methods that the handler lacks are those of `quietHandler`. */
  static async start<Command = Uint8Array>(
    handler: Partial<RaftHandler<Command>> = {},
    options: RaftServerOptions<Command> = {},
  ): Promise<RaftServer> {
    const { commandCodec, credentials = grpc.ServerCredentials.createInsecure(), port = 0, add } = options;
    const started = new RaftServer();
    const codec = commandCodec === undefined ? {} : { commandCodec };
    addRaftService<Command>(started.#server, { ...quietHandler, ...handler }, codec);
    add?.(started.#server);
    const bound = await new Promise<number>((resolve, reject) => {
      started.#server.bindAsync(`127.0.0.1:${port}`, credentials, (error, taken) =>
        error === null ? resolve(taken) : reject(error),
      );
    });
    started.address = `127.0.0.1:${bound}`;
    return started;
  }

  close(): void {
    this.#server.forceShutdown();
  }
}
