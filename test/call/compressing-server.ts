import { once } from "node:events";
import type { ServerHttp2Stream } from "node:http2";
import { deflateSync, gunzipSync, gzipSync, inflateSync } from "node:zlib";
import type { RawHandler, RawRequest } from "../support/raw-http2-server.js";

/** A request as it was on the wire. */
export interface WireRequest {
  /** `grpc-encoding`; undefined without the header. */
  readonly encoding: string | undefined;
  readonly acceptEncoding: string | undefined;
  /** Which connection it came over, from 0. */
  readonly session: number;
  readonly isCompressed: boolean;
  /** Bytes of the message on the wire, compressed or not. */
  readonly wireBytes: number;
  readonly message: Buffer;
}

/** Keeps every request, decompressed by hand, and answers with `reply`, by default the same message uncompressed. */
export class CompressingServer {
  readonly requests: WireRequest[] = [];
  readonly #sessions: unknown[] = [];

  constructor(private readonly reply: (stream: ServerHttp2Stream, message: Buffer) => void = respondWith()) {}

  readonly handler: RawHandler = (request) => void this.#receive(request);

  /** `encoding`, flag and connection of each request, in order. */
  get route(): string[] {
    return this.requests.map(
      ({ encoding = "none", isCompressed, session }) => `${encoding} ${isCompressed} ${session}`,
    );
  }

  async #receive({ stream, headers, session }: RawRequest): Promise<void> {
    const parts: Buffer[] = [];
    stream.on("data", (part: Buffer) => void parts.push(part));
    await once(stream, "end");
    const frame = Buffer.concat(parts);
    const body = frame.subarray(5);
    const isCompressed = frame[0] === 1;
    const encoding = headers["grpc-encoding"]?.toString();
    const message = isCompressed ? DECODERS[encoding ?? "none"]?.(body) : body;
    if (message === undefined) throw new Error(`a message compressed with ${encoding}`);
    if (!this.#sessions.includes(session)) this.#sessions.push(session);
    this.requests.push({
      encoding,
      acceptEncoding: headers["grpc-accept-encoding"]?.toString(),
      session: this.#sessions.indexOf(session),
      isCompressed,
      wireBytes: body.length,
      message,
    });
    this.reply(stream, message);
  }
}

const DECODERS: Readonly<Record<string, (body: Buffer) => Buffer>> = {
  gzip: (body) => gunzipSync(body),
  deflate: (body) => inflateSync(body),
};
const ENCODERS = { gzip: gzipSync, deflate: deflateSync } as const;

/** Answers with the message, compressed so. */
export function respondWith(
  encoding?: "gzip" | "deflate",
  headers: Readonly<Record<string, string>> = {},
): (stream: ServerHttp2Stream, message: Buffer) => void {
  return (stream, message) => {
    const body = encoding === undefined ? message : ENCODERS[encoding](message);
    respondFrame(stream, encoding !== undefined, body, {
      ...(encoding === undefined ? {} : { "grpc-encoding": encoding }),
      ...headers,
    });
  };
}

/** Answers with one frame, whatever it holds. */
export function respondFrame(
  stream: ServerHttp2Stream,
  isCompressed: boolean,
  body: Buffer,
  headers: Readonly<Record<string, string>> = {},
): void {
  const head = Buffer.alloc(5);
  head.writeUInt8(isCompressed ? 1 : 0, 0);
  head.writeUInt32BE(body.length, 1);
  stream.respond(
    { ":status": 200, "content-type": "application/grpc", ...headers },
    { waitForTrailers: true },
  );
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(Buffer.concat([head, body]));
}
