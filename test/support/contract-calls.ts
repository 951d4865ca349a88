import * as grpc from "@grpc/grpc-js";
import type { AnyFlavour } from "../fixtures/stubs/flavours.js";

export type AnyContractStub = InstanceType<AnyFlavour["Client"]>;

/** The four kinds of RPC, by the contract's method for each. */
export const KINDS = ["unary", "serverStream", "clientStream", "bidi"] as const;
export type Kind = (typeof KINDS)[number];

/** How a call ended, as its caller saw it. */
export interface CallEnd {
  readonly answers: readonly (readonly [text: string, count: number])[];
  /** From the callback, or from the `error` event of a stream. */
  readonly error: grpc.ServiceError | null;
  /** From the `status` event. */
  readonly status: grpc.StatusObject;
  /** From the `metadata` event. */
  readonly headers: grpc.Metadata | null;
  /** How often the end was told until now: by callback, `error` or `end` event, and by `status` event. */
  readonly told: { readonly ends: number; readonly statuses: number };
}

/** A call under way. */
export interface ContractCall {
  readonly raw: grpc.ClientUnaryCall | grpc.ClientWritableStream<object> | grpc.ClientReadableStream<object>;
  readonly end: Promise<CallEnd>;
}

export interface CallArgs {
  /** The texts sent; calls with a single request send the first. Default one "a". */
  readonly texts?: readonly string[];
  /** Answers a server stream is asked for. Default 3. */
  readonly repeat?: number;
  readonly metadata?: grpc.Metadata;
  readonly options?: grpc.CallOptions;
  /** True leaves the request stream open. */
  readonly isLeftOpen?: boolean;
  /** Called inside each callback and event of the call, with its name. */
  readonly onNews?: (event: string) => void;
}

/** Makes a call of any kind and notes all that grpc-js tells its caller. The promise of its end never rejects. */
export function startCall(
  flavour: AnyFlavour,
  stub: AnyContractStub,
  kind: Kind | "read",
  args: CallArgs = {},
): ContractCall {
  const {
    texts = ["a"],
    repeat = 3,
    metadata = new grpc.Metadata(),
    options = {},
    isLeftOpen = false,
    onNews,
  } = args;
  const watch = new CallWatch(flavour, onNews);
  const ask = flavour.ask(texts[0] ?? "", repeat);
  if (kind === "unary" || kind === "read") {
    return watch.single(stub[kind](ask, metadata, options, watch.callback));
  }
  if (kind === "serverStream") return watch.stream(stub.serverStream(ask, metadata, options));
  const duplex = kind === "bidi" ? stub.bidi(metadata, options) : null;
  const writable = duplex ?? stub.clientStream(metadata, options, watch.callback);
  for (const text of texts) writable.write(flavour.ask(text, 0));
  if (!isLeftOpen) writable.end();
  return duplex === null ? watch.single(writable) : watch.stream(duplex);
}

/** `startCall` to its end. */
export function callToEnd(
  flavour: AnyFlavour,
  stub: AnyContractStub,
  kind: Kind | "read",
  args: CallArgs = {},
): Promise<CallEnd> {
  return startCall(flavour, stub, kind, args).end;
}

/** Collects what a call tells; `end` resolves when both its end and its status were told. */
class CallWatch {
  readonly #answers: [string, number][] = [];
  readonly #told = { ends: 0, statuses: 0 };
  #error: grpc.ServiceError | null = null;
  #status: grpc.StatusObject | null = null;
  #headers: grpc.Metadata | null = null;
  #resolve!: (end: CallEnd) => void;
  readonly #end = new Promise<CallEnd>((resolve) => {
    this.#resolve = resolve;
  });

  constructor(
    private readonly flavour: AnyFlavour,
    private readonly onNews: (event: string) => void = () => {},
  ) {}

  readonly callback = (error: grpc.ServiceError | null, answer?: object): void => {
    this.onNews("callback");
    if (answer !== undefined) this.#add(answer);
    this.#onEnd(error);
  };

  single(raw: grpc.ClientUnaryCall | grpc.ClientWritableStream<object>): ContractCall {
    return this.#watch(raw);
  }

  stream(raw: grpc.ClientReadableStream<object> | grpc.ClientDuplexStream<object, object>): ContractCall {
    raw.on("data", (answer: object) => {
      this.onNews("data");
      this.#add(answer);
    });
    raw.on("error", (error) => {
      this.onNews("error");
      this.#onEnd(error as grpc.ServiceError);
    });
    raw.on("end", () => {
      this.onNews("end");
      // After an error Node may end the stream as well, which is the same end.
      if (this.#error === null) this.#onEnd(null);
    });
    return this.#watch(raw);
  }

  #watch(raw: ContractCall["raw"]): ContractCall {
    raw.on("metadata", (headers: grpc.Metadata) => {
      this.onNews("metadata");
      this.#headers = headers;
    });
    raw.on("status", (status: grpc.StatusObject) => {
      this.onNews("status");
      this.#status = status;
      this.#told.statuses++;
      this.#settle();
    });
    return { raw, end: this.#end };
  }

  #add(answer: object): void {
    this.#answers.push([this.flavour.answerText(answer), this.flavour.answerCount(answer)]);
  }

  #onEnd(error: grpc.ServiceError | null): void {
    this.#error = error;
    this.#told.ends++;
    this.#settle();
  }

  #settle(): void {
    if (this.#status === null || this.#told.ends === 0) return;
    this.#resolve({
      answers: this.#answers,
      error: this.#error,
      status: this.#status,
      headers: this.#headers,
      told: this.#told,
    });
  }
}
