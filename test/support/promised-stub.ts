import { EventEmitter } from "node:events";
import { Duplex, Readable, Writable } from "node:stream";
import * as grpc from "@grpc/grpc-js";
import { type BidiStream, type PromiseCallOptions, promises, type ServerStream } from "holdfast";
import type { AnyContractStub } from "./contract-calls.js";

type Callback = (error: Error | null, answer?: object) => void;
type Args = readonly unknown[];

/**
 * The promises of a stub, dressed up as the callbacks and streams of a stub, so that a suite written for stubs runs
 * through `promises()`. All that it tells it has heard from `promises()`; what cannot be asked of those, it refuses.
 */
export function promisedStub(stub: AnyContractStub): AnyContractStub {
  const client = promises(stub);
  const reply =
    (method: "unary" | "read") =>
    (ask: object, ...args: Args) => {
      const call = new SingleCall();
      const { options, callback } = call.read(args);
      tell(call, client[method](ask, options), callback);
      return call;
    };
  const methods = {
    unary: reply("unary"),
    read: reply("read"),
    serverStream(ask: object, ...args: Args) {
      const call = new ReadingCall();
      call.follow(client.serverStream(ask, optionsOf(args, call)));
      return call;
    },
    clientStream(...args: Args) {
      const call = new WritingCall();
      const { options, callback } = call.single.read(args);
      tell(call, client.clientStream(call.requests(), options), callback);
      return call;
    },
    bidi(...args: Args) {
      const call = new TalkingCall();
      call.follow(client.bidi(optionsOf(args, call)) as BidiStream<object, object>);
      return call;
    },
  };
  const own = Object.entries(methods).map(([name, value]) => [name, { value }] as const);
  return Object.create(stub, Object.fromEntries(own)) as AnyContractStub;
}

function tell(call: EventEmitter, promise: Promise<object>, callback: Callback): void {
  let isStatusTold = false;
  call.once("status", () => {
    isStatusTold = true;
  });
  promise.then(
    (answer) => callback(null, answer),
    (error: Error) => {
      callback(error);
      // A call that was refused for its options has no status; a suite for stubs waits for one.
      if (!isStatusTold) call.emit("status", error);
    },
  );
}

/** What grpc-js takes as metadata and options, as `promises()` takes it. */
function optionsOf(
  args: Args,
  events: { emit(name: string, value: unknown): unknown },
  signal?: AbortSignal,
): PromiseCallOptions {
  const [metadata = new grpc.Metadata(), given = {}] = args as [grpc.Metadata?, grpc.CallOptions?];
  const { deadline, ...others } = given;
  const settings = Reflect.get(Object(deadline), "settings") ?? (deadline === undefined ? {} : { deadline });
  const signals = [signal, settings.signal].filter((one) => one !== undefined);
  return {
    ...others,
    ...settings,
    ...(signals.length > 0 && { signal: AbortSignal.any(signals) }),
    metadata,
    onHeaders: (headers) => void events.emit("metadata", headers),
    onStatus: (status) => void events.emit("status", status),
  };
}

function noPeer(): never {
  throw new Error("promises() does not tell the peer of a call");
}

class SingleCall extends EventEmitter {
  readonly #abort = new AbortController();
  readonly getPeer = noPeer;

  constructor(private readonly events: EventEmitter | null = null) {
    super();
  }

  cancel(): void {
    this.#abort.abort();
  }

  read(args: Args): { options: PromiseCallOptions; callback: Callback } {
    const callback = args.at(-1) as Callback;
    return { options: optionsOf(args.slice(0, -1), this.events ?? this, this.#abort.signal), callback };
  }
}

class WritingCall extends Writable {
  readonly single = new SingleCall(this);
  readonly getPeer = noPeer;
  readonly #written = new EventEmitter();
  readonly #waiting: { message: object; taken: () => void }[] = [];
  #isEnded = false;

  constructor() {
    super({ objectMode: true });
  }

  cancel(): void {
    this.single.cancel();
  }

  /** Read by `promises()`; a message counts as written when the next one is asked for. */
  async *requests(): AsyncGenerator<object> {
    for (;;) {
      while (this.#waiting.length === 0 && !this.#isEnded) {
        await new Promise((resolve) => this.#written.once("news", resolve));
      }
      const next = this.#waiting.shift();
      if (next === undefined) return;
      yield next.message;
      next.taken();
    }
  }

  override _write(message: object, _encoding: string, taken: () => void): void {
    this.#waiting.push({ message, taken });
    this.#written.emit("news");
  }

  override _final(done: () => void): void {
    this.#isEnded = true;
    this.#written.emit("news");
    done();
  }
}

class ReadingCall extends Readable {
  readonly getPeer = noPeer;
  #answers: ServerStream<object> | null = null;

  constructor() {
    super({ objectMode: true, highWaterMark: 1 });
  }

  follow(answers: ServerStream<object>): void {
    this.#answers = answers;
  }

  cancel(): void {
    this.#answers?.cancel();
  }

  override _read(): void {
    if (this.#answers !== null) pull(this.#answers, this);
  }
}

class TalkingCall extends Duplex {
  readonly getPeer = noPeer;
  #talk: BidiStream<object, object> | null = null;

  constructor() {
    super({ objectMode: true, readableHighWaterMark: 1 });
  }

  follow(talk: BidiStream<object, object>): void {
    this.#talk = talk;
  }

  cancel(): void {
    this.#talk?.cancel();
  }

  override _read(): void {
    if (this.#talk !== null) pull(this.#talk, this);
  }

  override _write(message: object, _encoding: string, done: () => void): void {
    // What went wrong is told by the reader.
    const told = (): void => done();
    this.#talk?.write(message).then(told, told);
  }

  override _final(done: () => void): void {
    this.#talk?.end();
    done();
  }
}

function pull(answers: ServerStream<object>, stream: Readable): void {
  answers.next().then(
    ({ value, done }) => void stream.push(done === true ? null : value),
    (error: Error) => void stream.destroy(error),
  );
}
