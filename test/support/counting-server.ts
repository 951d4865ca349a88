import type { EventEmitter } from "node:events";
import * as grpc from "@grpc/grpc-js";
import { type CounterMethod, counterService } from "./counter-service.js";
import { turns } from "./event-loop.js";
import { retryWhileInUse } from "./reopenable-port.js";
import { scriptOf, type UnaryBehaviour } from "./scripted-unary.js";
import { Tally } from "./tally.js";

export * from "./counter-service.js";
export { fail, hang, headersThenFail, ok, type UnaryBehaviour, unavailable } from "./scripted-unary.js";

/** What server calls of all kinds have in common. */
type AnyCall = Pick<
  grpc.ServerUnaryCall<Buffer, Buffer>,
  "cancelled" | "metadata" | "getPeer" | "getDeadline"
> &
  EventEmitter;

/** One call as the server saw it. */
export interface ReceivedCall {
  readonly method: CounterMethod;
  readonly metadata: grpc.Metadata;
  /** The header that a retrying client sends from its second attempt on (gRFC A6), 0 without it. */
  readonly previousAttempts: number;
  /** As computed from the timeout the client sent; `Infinity` without one. */
  readonly deadline: grpc.Deadline;
  readonly peer: string;
  /** True once the client has cancelled the call or is gone. */
  readonly isCancelled: boolean;
}

export interface CountingServerOptions {
  /** What `Unary` does; echoes by default. */
  readonly handler?: UnaryBehaviour;
  /** Channel options of the server, such as `{ "grpc.max_connection_age_ms": 200 }`. */
  readonly serverOptions?: grpc.ServerOptions;
  readonly credentials?: grpc.ServerCredentials;
}

/** A real grpc-js server that counts what it executes, so that a test can tell "failed" from "ran twice". */
export class CountingServer {
  /** Calls that reached a handler, per method, over all restarts. */
  readonly executions: Record<CounterMethod, number> = {
    Unary: 0,
    ServerStream: 0,
    ClientStream: 0,
    Bidi: 0,
  };
  /** Every call that reached a handler, in order. */
  readonly calls: ReceivedCall[] = [];
  /** Every client socket (ip:port) that ever carried a call: its size is the number of real connections used. */
  readonly peers = new Set<string>();

  /** Echoes the request. */
  unary: UnaryBehaviour = (call, callback) => callback(null, call.request);
  /** Sends each comma-separated part of the request as a message of its own. */
  serverStream: grpc.handleServerStreamingCall<Buffer, Buffer> = (call) => {
    for (const part of String(call.request).split(",")) call.write(Buffer.from(part));
    call.end();
  };
  /** Answers with all messages, joined by commas. */
  clientStream: grpc.handleClientStreamingCall<Buffer, Buffer> = (call, callback) => {
    const parts: string[] = [];
    call.on("data", (message: Buffer) => parts.push(String(message)));
    call.on("end", () => callback(null, Buffer.from(parts.join(","))));
  };
  /** Echoes each message as it comes. */
  bidi: grpc.handleBidiStreamingCall<Buffer, Buffer> = (call) => {
    call.on("data", (message: Buffer) => call.write(message));
    call.on("end", () => call.end());
  };

  readonly #options: CountingServerOptions;
  readonly #received = new Tally("calls to the counting server");
  #server: grpc.Server | null = null;
  #port = 0;

  private constructor(options: CountingServerOptions) {
    this.#options = options;
    if (options.handler !== undefined) this.unary = options.handler;
  }

  static async start(options: CountingServerOptions = {}): Promise<CountingServer> {
    const server = new CountingServer(options);
    await server.restart();
    return server;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Scripts `Unary` from the next call on: `server.script([unavailable(), ok("x")])`. */
  script(behaviours: readonly UnaryBehaviour[]): void {
    this.unary = scriptOf(behaviours);
  }

  /** Resolves once `count` calls, of all methods together, have reached a handler. */
  received(count = 1): Promise<void> {
    return this.#received.reached(count);
  }

  /**
   * A server forced down: running calls end as CANCELLED, connections close, connects are refused; counters and
   * behaviours stay. Resolves when clients in this process have heard of it. (A crash, where nobody says CANCELLED, is
   * `FrozenProcess.kill()`, or `refuse()` with `resetAll()` on a fault proxy.)
   */
  async stop(): Promise<void> {
    this.#server?.forceShutdown();
    this.#server = null;
    await turns(5);
  }

  /** Stops if it runs, and listens on the same port again, as after a deployment. */
  async restart(): Promise<void> {
    await this.stop();
    const server = new grpc.Server(this.#options.serverOptions);
    server.addService(counterService, this.#handlers());
    const credentials = this.#options.credentials ?? grpc.ServerCredentials.createInsecure();
    this.#port = await retryWhileInUse(() => bind(server, this.address, credentials));
    this.#server = server;
  }

  /** A planned restart: GOAWAY to every client, running calls finish; resolves when they have. */
  async drain(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server !== null) await new Promise<void>((resolve) => server.tryShutdown(() => resolve()));
  }

  /** `stop()`, and waits that can no longer come true end with an error. */
  async close(): Promise<void> {
    await this.stop();
    this.#received.close();
  }

  // Looked up at each call, so that a behaviour set while the server runs holds from the next call on.
  #handlers(): grpc.UntypedServiceImplementation {
    const unary: UnaryBehaviour = (call, callback) => this.#count("Unary", call).unary(call, callback);
    const serverStream: typeof this.serverStream = (call) =>
      this.#count("ServerStream", call).serverStream(call);
    const clientStream: typeof this.clientStream = (call, callback) =>
      this.#count("ClientStream", call).clientStream(call, callback);
    const bidi: typeof this.bidi = (call) => this.#count("Bidi", call).bidi(call);
    return { unary, serverStream, clientStream, bidi };
  }

  #count(method: CounterMethod, call: AnyCall): this {
    const peer = call.getPeer();
    this.executions[method]++;
    this.peers.add(peer);
    this.calls.push({
      method,
      metadata: call.metadata,
      previousAttempts: Number(call.metadata.get("grpc-previous-rpc-attempts")[0] ?? 0),
      deadline: call.getDeadline(),
      peer,
      get isCancelled() {
        return call.cancelled;
      },
    });
    // A stream's failure shows in its status; without a listener it would end the test process.
    call.on("error", () => {});
    this.#received.add();
    return this;
  }
}

function bind(server: grpc.Server, address: string, credentials: grpc.ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => (error === null ? resolve(port) : reject(error)));
  });
}
