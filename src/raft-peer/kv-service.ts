import type { Server } from "@grpc/grpc-js";
import { KVServiceService } from "../gen/kvraftpb/kvraft.js";
import { kvCommandFromWire, kvReplyToWire, nodeStatusToWire } from "./kv-convert.js";
import type { KvHandler } from "./kv-messages.js";
import type { ServedMethod } from "./served-method.js";
import { addMethods, checkHandler, servedMethod } from "./served-service.js";

const METHODS = ["command", "status"] as const;

/**
 * Serves a key-value node to its clients on a gRPC server. A handler that throws or rejects answers INTERNAL, or the
 * gRPC `code` on its error; a command whose operation is unknown never reaches it.
 *
 * @throws ResilienceError `CONFIG_INVALID` naming each method that the handler lacks
 */
export function addKvService(server: Server, handler: KvHandler): void {
  addMethods(server, kvMethods(handler));
}

/** The methods of a key-value node, for whatever serves them. */
export function kvMethods(handler: KvHandler): readonly ServedMethod[] {
  checkHandler("the KV service", handler, METHODS);
  return [
    servedMethod({
      definition: KVServiceService.command,
      fromWire: kvCommandFromWire,
      run: (request) => handler.command(request),
      toWire: kvReplyToWire,
    }),
    servedMethod({
      definition: KVServiceService.getStatus,
      fromWire: () => undefined,
      run: () => handler.status(),
      toWire: nodeStatusToWire,
    }),
  ];
}
