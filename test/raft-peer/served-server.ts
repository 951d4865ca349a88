import * as grpc from "@grpc/grpc-js";

/** A real gRPC server with whatever `add` puts on it. */
export interface ServedServer {
  readonly address: string;
  close(): void;
}

export async function serve(
  add: (server: grpc.Server) => void,
  options: grpc.ServerOptions = {},
): Promise<ServedServer> {
  const server = new grpc.Server(options);
  add(server);
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) =>
      error === null ? resolve(bound) : reject(error),
    );
  });
  return { address: `127.0.0.1:${port}`, close: () => server.forceShutdown() };
}
