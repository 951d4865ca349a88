import type { Call, Client, Place } from "./stack.js";

/** A client whose methods speak promises and async iterables. `M` is its message, if it is more than bytes. */
export interface PromiseEcho<M> {
  unary(request: M): Promise<unknown>;
  serverStreaming(request: M): AsyncIterable<unknown>;
  clientStreaming(requests: AsyncIterable<M>): Promise<unknown>;
  bidi(requests: AsyncIterable<M>): AsyncIterable<unknown>;
}

/** The calls of such a client; `wrap` makes its message of the bytes, for each call anew as a caller would. */
export function promiseCalls(echo: PromiseEcho<Buffer>, place: Place): Pick<Client, "unary" | "streams">;
export function promiseCalls<M>(
  echo: PromiseEcho<M>,
  place: Place,
  wrap: (bytes: Buffer) => M,
): Pick<Client, "unary" | "streams">;
export function promiseCalls<M>(
  echo: PromiseEcho<M>,
  place: Place,
  wrap = (bytes: Buffer): M => bytes as M,
): Pick<Client, "unary" | "streams"> {
  const unary = call((request) => echo.unary(wrap(request)));
  if (place.kind === "fake") return { unary };
  const messages = place.messagesPerStream;
  return {
    unary,
    streams: {
      serverStreaming: call((request) => readAll(echo.serverStreaming(wrap(request)), messages)),
      clientStreaming: call((request) => echo.clientStreaming(repeated(request, messages, wrap))),
      bidi: call((request) => readAll(echo.bidi(repeated(request, messages, wrap)), messages)),
    },
  };
}

/** A promise as the drivers of the bench hear of it. */
export function call(make: (request: Buffer) => Promise<unknown>): Call {
  return (request, done) => {
    make(request).then(() => done(null), done);
  };
}

async function* repeated<M>(
  request: Buffer,
  messages: number,
  wrap: (bytes: Buffer) => M,
): AsyncGenerator<M> {
  for (let sent = 0; sent < messages; sent++) yield wrap(request);
}

async function readAll(replies: AsyncIterable<unknown>, messages: number): Promise<void> {
  let received = 0;
  for await (const _reply of replies) received++;
  if (received !== messages) throw new Error(`${received} of ${messages} messages arrived`);
}
