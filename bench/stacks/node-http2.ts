import { type ClientHttp2Session, connect, constants } from "node:http2";
import { echoService } from "./echo-stub.js";
import { inTurn } from "./in-turn.js";
import type { Call, Client, Place, Stack } from "./stack.js";

const FRAME_HEAD_BYTES = 5;

const HEADERS = {
  [constants.HTTP2_HEADER_METHOD]: "POST",
  [constants.HTTP2_HEADER_PATH]: echoService.unary.path,
  [constants.HTTP2_HEADER_CONTENT_TYPE]: "application/grpc",
  [constants.HTTP2_HEADER_TE]: "trailers",
};

/** The floor: gRPC frames by hand on node:http2, without metadata, deadline, cancel or anything else a client needs. */
export const nodeHttp2: Stack = {
  name: "node-http2",
  places: ["sockets"],
  hasStreams: false,
  retries: false,
  open(place: Place): Client {
    const sessions = (place.kind === "sockets" ? place.addresses : []).map((address) =>
      connect(`http://${address}`),
    );
    return {
      unary: unaryOver(inTurn(sessions)),
      close() {
        for (const session of sessions) session.close();
      },
    };
  },
};

function unaryOver(next: () => ClientHttp2Session): Call {
  return (request, done) => {
    const stream = next().request(HEADERS);
    let grpcStatus: unknown = null;
    let received = 0;
    stream.on("trailers", (trailers) => {
      grpcStatus = trailers["grpc-status"];
    });
    stream.on("data", (chunk: Buffer) => {
      received += chunk.length;
    });
    stream.on("error", done);
    stream.on("end", () => {
      const isWhole = grpcStatus === "0" && received === request.length + FRAME_HEAD_BYTES;
      done(isWhole ? null : new Error(`status ${String(grpcStatus)} after ${received} bytes`));
    });
    stream.end(framed(request));
  };
}

function framed(message: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(FRAME_HEAD_BYTES + message.length);
  frame[0] = 0;
  frame.writeUInt32BE(message.length, 1);
  message.copy(frame, FRAME_HEAD_BYTES);
  return frame;
}
