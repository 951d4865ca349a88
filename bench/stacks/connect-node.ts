import { create, createFileRegistry, type DescService } from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, file_google_protobuf_wrappers } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { ECHO_SERVICE_NAME, echoService } from "./echo-stub.js";
import { inTurn } from "./in-turn.js";
import { type PromiseEcho, promiseCalls } from "./promise-calls.js";
import type { Client, Place, Stack } from "./stack.js";

/** What connect takes for a `google.protobuf.BytesValue`. */
interface BytesInit {
  readonly value: Uint8Array;
}

/** connect's gRPC transport; its codec cannot be left out, so the bytes travel in a message of one field. */
export const connectNode: Stack = {
  name: "connect-node",
  places: ["sockets"],
  hasStreams: true,
  retries: false,
  open(place: Place): Client {
    const sessions = (place.kind === "sockets" ? place.addresses : []).map(
      (address) => new Http2SessionManager(`http://${address}`),
    );
    const clients = sessions.map((sessionManager) =>
      createClient(
        echoDescriptor,
        createGrpcTransport({ baseUrl: sessionManager.authority, sessionManager, defaultTimeoutMs: 30_000 }),
      ),
    );
    // The types of methods that are described at run time are not known to the compiler.
    const next = inTurn(clients as unknown as readonly PromiseEcho<BytesInit>[]);
    const echo: PromiseEcho<BytesInit> = {
      unary: (request) => next().unary(request),
      serverStreaming: (request) => next().serverStreaming(request),
      clientStreaming: (requests) => next().clientStreaming(requests),
      bidi: (requests) => next().bidi(requests),
    };
    return {
      ...promiseCalls(echo, place, (value) => ({ value })),
      close() {
        for (const session of sessions) session.abort();
      },
    };
  },
};

const echoDescriptor: DescService = describeEcho();

/** The service as a .proto would declare it. */
function describeEcho(): DescService {
  const [, scope, name] = /^(.*)\.(\w+)$/.exec(ECHO_SERVICE_NAME) ?? [];
  const bytes = ".google.protobuf.BytesValue";
  const file = create(FileDescriptorProtoSchema, {
    name: "echo.proto",
    syntax: "proto3",
    package: scope ?? "",
    dependency: [file_google_protobuf_wrappers.proto.name],
    service: [
      {
        name: name ?? "",
        method: Object.values(echoService).map(({ path, requestStream, responseStream }) => ({
          name: path.slice(path.lastIndexOf("/") + 1),
          inputType: bytes,
          outputType: bytes,
          clientStreaming: requestStream,
          serverStreaming: responseStream,
        })),
      },
    ],
  });
  const service = createFileRegistry(file, () => file_google_protobuf_wrappers).getService(ECHO_SERVICE_NAME);
  if (service === undefined) throw new Error(`${ECHO_SERVICE_NAME} is not in its own description`);
  return service;
}
