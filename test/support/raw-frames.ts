import http2, { type OutgoingHttpHeaders, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { Socket } from "node:net";

const GRPC_HEADERS = { ":status": 200, "content-type": "application/grpc" } as const;
const RST_STREAM = 0x3;
const GOAWAY = 0x7;

// Node hides a session's socket behind a proxy that cannot be written to.
const sockets = new WeakMap<ServerHttp2Session, Socket>();

/** Tells the frame helpers which socket a session runs on. */
export function rememberSocket(session: ServerHttp2Session, socket: Socket): void {
  sockets.set(session, socket);
}

/** Writes one frame as given, legal or not, between those that Node writes. */
export function sendFrame(
  session: ServerHttp2Session,
  frame: {
    readonly type: number;
    readonly flags?: number;
    readonly streamId?: number;
    readonly payload: Buffer;
  },
): void {
  const head = Buffer.alloc(9);
  head.writeUIntBE(frame.payload.length, 0, 3);
  head.writeUInt8(frame.type, 3);
  head.writeUInt8(frame.flags ?? 0, 4);
  head.writeUInt32BE(frame.streamId ?? 0, 5);
  sockets.get(session)?.write(Buffer.concat([head, frame.payload]));
}

/**
 * Sends GOAWAY. Without `lastStreamId` it names the newest stream that arrived: a server restarting in order. With one
 * below a running call it disowns that call: a server that never looked at it. The session stays open either way.
 */
export function goaway(
  session: ServerHttp2Session,
  code: number = http2.constants.NGHTTP2_NO_ERROR,
  lastStreamId?: number,
  opaque: Buffer = Buffer.alloc(0),
): void {
  if (lastStreamId === undefined) return session.goaway(code, 0, opaque);
  // By hand, because Node takes 0, the most interesting id, for "the newest stream".
  const payload = Buffer.alloc(8);
  payload.writeUInt32BE(lastStreamId, 0);
  payload.writeUInt32BE(code, 4);
  sendFrame(session, { type: GOAWAY, payload: Buffer.concat([payload, opaque]) });
}

/**
 * RST_STREAM with an HTTP/2 code: `NGHTTP2_REFUSED_STREAM` is a server that proves it has not run the call,
 * `NGHTTP2_ENHANCE_YOUR_CALM` one that defends itself, `NGHTTP2_INTERNAL_ERROR` a handler that crashed.
 */
export function rst(stream: ServerHttp2Stream, code: number): void {
  if (!stream.headersSent) return stream.close(code);
  // After headers Node ends the stream first, and a stream that both sides have ended gets no RST_STREAM at all.
  // Hence by hand, and in the check phase, when what was written before has left.
  setImmediate(() => {
    const { session, id } = stream;
    if (session === undefined || id === undefined) return;
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(code);
    sendFrame(session as ServerHttp2Session, { type: RST_STREAM, streamId: id, payload });
    stream.close(code);
  });
}

/** A gRPC message on the wire: not compressed, length, bytes. */
export function grpcFrame(message: Buffer): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Headers, one message, trailers with status OK. */
export function respondOk(stream: ServerHttp2Stream, message: Buffer = Buffer.alloc(0)): void {
  stream.respond(GRPC_HEADERS, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(grpcFrame(message));
}

/** A failure in one HEADERS frame with END_STREAM, as servers and gateways send when no handler ran. */
export function respondTrailersOnly(
  stream: ServerHttp2Stream,
  code: number,
  message?: string,
  extraTrailers: OutgoingHttpHeaders = {},
): void {
  const status = {
    "grpc-status": String(code),
    ...(message !== undefined && { "grpc-message": encodeURI(message) }),
  };
  stream.respond({ ...GRPC_HEADERS, ...status, ...extraTrailers }, { endStream: true });
}

/** Response headers at once, so that the call is committed, and nothing after them; returns the stream to go on with. */
export function respondHeadersThen(stream: ServerHttp2Stream): ServerHttp2Stream {
  stream.respond(GRPC_HEADERS);
  return stream;
}
