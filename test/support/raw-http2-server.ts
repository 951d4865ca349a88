import { once } from "node:events";
import http2, {
  type Http2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import { rememberSocket } from "./raw-frames.js";
import { Tally } from "./tally.js";

export {
  goaway,
  grpcFrame,
  respondHeadersThen,
  respondOk,
  respondTrailersOnly,
  rst,
  sendFrame,
} from "./raw-frames.js";

/** One request as it arrived; its body is read and dropped unless the handler listens to it or pauses it at once. */
export interface RawRequest {
  readonly stream: ServerHttp2Stream;
  readonly headers: IncomingHttpHeaders;
  readonly session: ServerHttp2Session;
  /** 1 for the first request this server ever got. */
  readonly index: number;
}

export type RawHandler = (request: RawRequest) => void;

export interface RawHttp2Options {
  /** SETTINGS announced to every client, such as `{ maxConcurrentStreams: 1 }`. */
  readonly settings?: Settings;
}

/** An HTTP/2 server that answers with whatever frames a test wants, also those that no grpc-js server would send. */
export class RawHttp2Server {
  readonly #server: Http2Server;
  readonly #sessions = new Set<ServerHttp2Session>();
  readonly #connected = new Tally("sessions of the raw server");
  readonly #started = new Tally("requests to the raw server");
  readonly #requests: RawRequest[] = [];
  #lastSocket: Socket | undefined;

  private constructor(handler: RawHandler, options: RawHttp2Options) {
    this.#server = http2.createServer(options.settings === undefined ? {} : { settings: options.settings });
    // Ahead of Node's own listener, which makes the session of this socket in the same tick.
    this.#server.prependListener("connection", (socket: Socket) => {
      this.#lastSocket = socket;
    });
    this.#server.on("session", (session) => this.#register(session));
    this.#server.on("sessionError", () => {});
    this.#server.on("stream", (stream, headers) => this.#handle(handler, stream, headers));
  }

  static async start(handler: RawHandler, options: RawHttp2Options = {}): Promise<RawHttp2Server> {
    const raw = new RawHttp2Server(handler, options);
    raw.#server.listen(0, "127.0.0.1");
    await once(raw.#server, "listening");
    return raw;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Sessions open now, oldest first. */
  get sessions(): readonly ServerHttp2Session[] {
    return [...this.#sessions];
  }

  /** Sessions opened ever. */
  get sessionsOpened(): number {
    return this.#connected.count;
  }

  /** Requests that arrived ever. */
  get streamsStarted(): number {
    return this.#started.count;
  }

  /** Resolves with the nth request, 1 for the first. */
  async request(n = 1): Promise<RawRequest> {
    await this.#started.reached(n);
    return this.#requests[n - 1]!;
  }

  /** Resolves once `count` sessions have been opened in total. */
  connected(count = 1): Promise<void> {
    return this.#connected.reached(count);
  }

  async close(): Promise<void> {
    this.#started.close();
    this.#connected.close();
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    for (const session of this.#sessions) session.destroy();
    await closed;
  }

  #register(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    rememberSocket(session, this.#lastSocket!);
    session.on("error", () => {});
    session.on("close", () => this.#sessions.delete(session));
    this.#connected.add();
  }

  #handle(handler: RawHandler, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    // A client's reset is part of many stories and the end of none.
    stream.on("error", () => {});
    // Unread request bytes would keep the stream, and with it the session, from closing.
    stream.resume();
    const request = {
      stream,
      headers,
      session: stream.session as ServerHttp2Session,
      index: this.streamsStarted + 1,
    };
    this.#requests.push(request);
    handler(request);
    this.#started.add();
  }
}
