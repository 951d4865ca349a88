import http2, { type ClientHttp2Session, type OutgoingHttpHeaders } from "node:http2";
import { Duplex } from "node:stream";

/** The request header that names the call a stream belongs to. */
export const CELL_KEY = "x-cell";

type Request = ClientHttp2Session["request"];

/**
 * Counts the HTTP/2 streams that clients of this process open, by the call they belong to. Node 20 announces them
 * nowhere, so this stands in for `request()` of its client sessions until it is closed.
 */
export class OpenedStreams {
  readonly #opened = new Map<string, number>();
  readonly #prototype: { request: Request };
  readonly #original: Request;
  #nextError: Error | null = null;

  constructor() {
    this.#prototype = clientSessionPrototype();
    const original = this.#prototype.request;
    this.#original = original;
    const note = (cell: string): void => void this.#opened.set(cell, this.of(cell) + 1);
    const throwIfTold = (): void => {
      const error = this.#nextError;
      this.#nextError = null;
      if (error !== null) throw error;
    };
    this.#prototype.request = function (this: ClientHttp2Session, headers?: OutgoingHttpHeaders, options?) {
      throwIfTold();
      const stream = original.call(this, headers, options);
      const cell = headers?.[CELL_KEY];
      // After the call: one that throws has opened nothing.
      if (cell !== undefined) note(String(cell));
      return stream;
    } as Request;
  }

  of(cell: string): number {
    return this.#opened.get(cell) ?? 0;
  }

  /** The next stream cannot be opened, as on a session that is over. */
  failNext(error: Error): void {
    this.#nextError = error;
  }

  close(): void {
    this.#prototype.request = this.#original;
  }
}

/** Of a session that is never connected to anything. */
function clientSessionPrototype(): { request: Request } {
  const nowhere = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
  const session = http2.connect("http://nowhere", { createConnection: () => nowhere });
  session.on("error", () => {});
  const prototype = Object.getPrototypeOf(session) as { request: Request };
  session.destroy();
  return prototype;
}
