import type { EventEmitter } from "node:events";
import * as grpc from "@grpc/grpc-js";
import {
  type Answer,
  type Ask,
  ContractService,
  type ContractServer as Handlers,
} from "../fixtures/stubs/generated/ts-proto/contract.js";
import { Tally } from "./tally.js";

/**
 * What the client asks the server to do, in the metadata of the call, so that one server serves every flavour of stub:
 * `hang` never answers; `fail` fails as `REFUSAL` says; `fail-first` does so with UNAVAILABLE on the first attempt only;
 * `headers` greets before and says goodbye after; `fail-late` fails after headers and, where there can be one, a message;
 * `pause` does not read the requests before `unpause()`.
 */
export type Direction = "hang" | "fail" | "fail-first" | "headers" | "fail-late" | "pause";

const DIRECTION_KEY = "direction";

/** The failure of `fail` and `fail-late`: text beyond ASCII and binary trailers show whether all of it arrives. */
export const REFUSAL = {
  code: grpc.status.FAILED_PRECONDITION,
  details: "refusé: 100 % closed",
  trailer: "s3cret-because",
  binaryTrailer: Buffer.from([0, 1, 254, 255]),
} as const;

/** Metadata for a call that the server is to treat so. */
export function direct(direction: Direction, options: grpc.MetadataOptions = {}): grpc.Metadata {
  const metadata = new grpc.Metadata(options);
  metadata.set(DIRECTION_KEY, direction);
  return metadata;
}

/** One run of a handler. */
export interface DirectedRun {
  readonly method: "Unary" | "Read" | "ServerStream" | "ClientStream" | "Bidi";
  readonly metadata: grpc.Metadata;
  /** Texts asked so far. */
  readonly texts: string[];
}

type Callback = grpc.sendUnaryData<Answer>;
/** What server calls of all kinds have in common. */
type AnyCall = EventEmitter &
  Pick<grpc.ServerUnaryCall<Ask, Answer>, "metadata" | "sendMetadata" | "getPeer">;
type Reading = AnyCall & Pick<grpc.ServerReadableStream<Ask, Answer>, "pause" | "resume">;
type Writing = AnyCall & Pick<grpc.ServerWritableStream<Ask, Answer>, "write">;

/** A real server of the contract service that does what the metadata of each call asks for. */
export class DirectedServer {
  /** Every handler run, in order of arrival. */
  readonly runs: DirectedRun[] = [];
  /** Every client socket (ip:port) that ever carried a call. */
  readonly peers = new Set<string>();
  readonly #server = new grpc.Server();
  readonly #received = new Tally("calls to the directed server");
  readonly #cancelled = new Tally("calls the client cancelled");
  readonly #paused = new Set<Reading>();
  #port = 0;

  private constructor() {}

  static async start(credentials = grpc.ServerCredentials.createInsecure()): Promise<DirectedServer> {
    const directed = new DirectedServer();
    directed.#server.addService(ContractService, directed.#handlers());
    directed.#port = await new Promise<number>((resolve, reject) => {
      directed.#server.bindAsync("127.0.0.1:0", credentials, (error, port) => {
        if (error === null) resolve(port);
        else reject(error);
      });
    });
    return directed;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  /** Calls that reached a handler since the start. */
  get receivedCount(): number {
    return this.#received.count;
  }

  /** Calls the client ended before their answer, by a cancel or a broken connection, since the start. */
  get cancelledCount(): number {
    return this.#cancelled.count;
  }

  /** Resolves once `count` calls have reached a handler since the start. */
  received(count: number): Promise<void> {
    return this.#received.reached(count);
  }

  /** Resolves once `count` calls have been cancelled since the start. */
  cancelled(count: number): Promise<void> {
    return this.#cancelled.reached(count);
  }

  /** Lets the calls read on that were told to pause. */
  unpause(): void {
    for (const call of this.#paused) call.resume();
    this.#paused.clear();
  }

  async stop(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.tryShutdown(() => resolve());
      this.#server.forceShutdown();
    });
    this.#received.close();
    this.#cancelled.close();
  }

  #handlers(): Handlers {
    const answerOne =
      (method: "Unary" | "Read"): grpc.handleUnaryCall<Ask, Answer> =>
      (call, callback) => {
        this.#begin(method, call, call.request.text);
        if (!this.#fails(call, callback))
          callback(null, { text: call.request.text, count: 1 }, farewell(call));
      };
    return {
      unary: answerOne("Unary"),
      read: answerOne("Read"),
      serverStream: (call) => {
        this.#begin("ServerStream", call, call.request.text);
        if (this.#failsStream(call)) return;
        for (let count = 1; count <= call.request.repeat; count++) {
          call.write({ text: call.request.text, count });
        }
        call.end(farewell(call));
      },
      clientStream: (call, callback) => {
        const { texts } = this.#begin("ClientStream", call);
        if (this.#fails(call, callback)) return;
        this.#read(call, texts, () => callback(null, summaryOf(texts), farewell(call)));
      },
      bidi: (call) => {
        const { texts } = this.#begin("Bidi", call);
        if (this.#failsStream(call)) return;
        const echo = (text: string): void => void call.write({ text, count: texts.length });
        this.#read(call, texts, () => call.end(farewell(call)), echo);
      },
    };
  }

  #begin(method: DirectedRun["method"], call: AnyCall, ...texts: string[]): DirectedRun {
    const run: DirectedRun = { method, metadata: call.metadata, texts };
    this.runs.push(run);
    this.peers.add(call.getPeer());
    call.on("cancelled", () => this.#cancelled.add());
    // A stream's failure shows in its status; without a listener it would end the test process.
    call.on("error", () => {});
    if (["headers", "fail-late"].includes(directionOf(call) ?? "")) call.sendMetadata(greeting());
    this.#received.add();
    return run;
  }

  #read(call: Reading, texts: string[], atEnd: () => void, onText: (text: string) => void = () => {}): void {
    call.on("data", (ask: Ask) => {
      texts.push(ask.text);
      onText(ask.text);
    });
    call.on("end", atEnd);
    if (directionOf(call) !== "pause") return;
    call.pause();
    this.#paused.add(call);
  }

  #fails(call: AnyCall, callback: Callback): boolean {
    const failure = failureOf(call);
    if (failure !== null && failure !== "hang") callback(failure);
    return failure !== null;
  }

  #failsStream(call: Writing): boolean {
    const failure = failureOf(call);
    if (failure === null || failure === "hang") return failure !== null;
    if (directionOf(call) === "fail-late") call.write({ text: "the last", count: 1 });
    call.emit("error", failure);
    return true;
  }
}

function directionOf(call: AnyCall): Direction | undefined {
  return call.metadata.get(DIRECTION_KEY)[0] as Direction | undefined;
}

function failureOf(call: AnyCall): Partial<grpc.StatusObject> | "hang" | null {
  const direction = directionOf(call);
  if (direction === "hang") return "hang";
  const metadata = new grpc.Metadata();
  metadata.set("why", REFUSAL.trailer);
  metadata.set("why-bin", REFUSAL.binaryTrailer);
  const { code, details } = REFUSAL;
  if (direction === "fail" || direction === "fail-late") return { code, details, metadata };
  const isRetry = call.metadata.get("grpc-previous-rpc-attempts").length > 0;
  if (direction === "fail-first" && !isRetry) return { code: grpc.status.UNAVAILABLE, details: "not yet" };
  return null;
}

function greeting(): grpc.Metadata {
  const metadata = new grpc.Metadata();
  metadata.set("greeting", "hello");
  return metadata;
}

function farewell(call: AnyCall): grpc.Metadata {
  const metadata = new grpc.Metadata();
  if (directionOf(call) === "headers") metadata.set("farewell", "bye");
  return metadata;
}

/** Long streams are answered with their length, or the answer would be too large a message. */
function summaryOf(texts: readonly string[]): Answer {
  const length = texts.reduce((sum, text) => sum + text.length, 0);
  return { text: length > 1_000 ? String(length) : texts.join(","), count: texts.length };
}
