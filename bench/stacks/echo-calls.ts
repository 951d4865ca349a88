import type { Readable, Writable } from "node:stream";
import type { EchoStub } from "./echo-stub.js";
import type { Call, Client, Place, StreamKind } from "./stack.js";

/** The calls of grpc-js stubs; `next` gives the stub for each call. */
export function echoCalls(next: () => EchoStub, place: Place): Pick<Client, "unary" | "streams"> {
  const unary: Call = (request, done) => void next().unary(request, done);
  return place.kind === "fake" ? { unary } : { unary, streams: streamCalls(next, place.messagesPerStream) };
}

function streamCalls(next: () => EchoStub, messages: number): Record<StreamKind, Call> {
  return {
    serverStreaming(request, done) {
      readAll(next().serverStreaming(request), messages, done);
    },
    clientStreaming(request, done) {
      const stream = next().clientStreaming((error) => done(error));
      writeAll(stream, request, messages);
    },
    bidi(request, done) {
      const stream = next().bidi();
      readAll(stream, messages, done);
      writeAll(stream, request, messages);
    },
  };
}

/** A stream that ends early is a failure like any other. */
function readAll(stream: Readable, messages: number, done: (error: Error | null) => void): void {
  let received = 0;
  stream.on("data", () => void received++);
  stream.on("error", done);
  stream.on("end", () =>
    done(received === messages ? null : new Error(`${received} of ${messages} messages arrived`)),
  );
}

/** As fast as the stream takes them. */
function writeAll(stream: Writable, message: Buffer, messages: number): void {
  let left = messages;
  const write = (): void => {
    while (left > 0) {
      left--;
      if (!stream.write(message) && left > 0) return void stream.once("drain", write);
    }
    stream.end();
  };
  write();
}
