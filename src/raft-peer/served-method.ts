import type { MethodDefinition } from "@grpc/grpc-js";

/**
 * One unary method on the server's side, without gRPC's call object, so that a gRPC server and a `MemoryNetwork` serve
 * the same thing. Requests and responses are the generated messages.
 */
export interface ServedMethod {
  // biome-ignore lint/suspicious/noExplicitAny: a list of methods of different messages; each pair belongs together.
  readonly definition: MethodDefinition<any, any>;
  // biome-ignore lint/suspicious/noExplicitAny: as above.
  handle(request: any): Promise<unknown>;
}
