import type { CallCredentials, CallOptions, Client, Metadata, status as Status } from "@grpc/grpc-js";
import type { CallSettings } from "../../call/index.js";
import type { AttemptRecord } from "../../core/index.js";

/** How a call ended, told to `onStatus`. */
export interface CallStatus {
  readonly code: Status;
  readonly details: string;
  /** The trailers. */
  readonly metadata: Metadata;
  /** What was tried; empty when the first attempt succeeded. */
  readonly attempts: readonly AttemptRecord[];
}

/** What a call through `promises()` takes beside the settings of every call. */
export interface PromiseExtras {
  /** Sent with the call: a `Metadata`, or a record of keys and values. */
  readonly metadata?:
    | Metadata
    | Readonly<Record<string, string | Buffer | readonly (string | Buffer)[]>>
    | undefined;
  /** Hears the response headers, at most once. What it throws is told in a warning and changes nothing. */
  readonly onHeaders?: ((headers: Metadata) => void) | undefined;
  /**
   * Hears once how the call ended, well or not, just before its promise settles. What it throws is told in a warning
   * and changes nothing.
   */
  readonly onStatus?: ((status: CallStatus) => void) | undefined;
  /**
   * The server's call on whose behalf this one is made: its deadline bounds this one, and its cancel ends it. Default
   * none.
   */
  readonly parent?: CallOptions["parent"];
  /** What is taken from `parent`: bits of grpc-js's `propagate`, 0 to 65,535. Default `propagate.DEFAULTS`, all. */
  readonly propagateFlags?: number | undefined;
  /** Credentials of this call, asked for at each attempt, beside those of the channel. Default none. */
  readonly credentials?: CallCredentials | undefined;
}

/** Options of one call through `promises()`. */
export type PromiseCallOptions = CallSettings & PromiseExtras;

/** The messages of a client that streams. */
export type Requests<Req> = Iterable<Req> | AsyncIterable<Req>;

/**
 * The answers of a call, to be read once. Leaving the loop cancels the call; a failure comes after the answers that
 * arrived before it. Up to 100 answers (1 MiB) are read ahead; beyond that the server waits for the reader.
 */
export interface ServerStream<Res> extends AsyncIterableIterator<Res, undefined, unknown> {
  /** Waits for the next answer. @throws ResilienceError as the call failed */
  next(): Promise<IteratorResult<Res, undefined>>;
  /** Cancels the call, for good; what leaving the loop does. */
  return(): Promise<IteratorResult<Res, undefined>>;
  /** Cancels the call; who waits for an answer gets a `CANCELLED` error, with the reason as its cause. */
  cancel(reason?: unknown): void;
  [Symbol.asyncIterator](): this;
}

/** A call that writes and reads, each at its own pace. */
export interface BidiStream<Req, Res> extends ServerStream<Res> {
  /**
   * Sends a message, after those written before it. Settles when the transport has taken it, so that awaiting it keeps
   * the server's pace; then, without interceptors even before, the message may be changed. An ignored rejection is no
   * unhandled one: the reader hears of it too.
   *
   * @throws ResilienceError as the call failed; `CLIENT_CLOSED` after `end()`
   */
  write(message: Req): Promise<void>;
  /** No more messages follow; answers may still be read. */
  end(): void;
}

type UnaryPromise<Req, Res> = (request: Req, options?: PromiseCallOptions) => Promise<Res>;
type ServerStreamPromise<Req, Res> = (request: Req, options?: PromiseCallOptions) => ServerStream<Res>;
type ClientStreamPromise<Req, Res> = (requests: Requests<Req>, options?: PromiseCallOptions) => Promise<Res>;
interface BidiPromise<Req, Res> {
  (options?: PromiseCallOptions): BidiStream<Req, Res>;
  /** Sends what the iterable gives, and ends the request stream after it. */
  (requests: Requests<Req>, options?: PromiseCallOptions): ServerStream<Res>;
}
/** Of stubs without types, as `loadPackageDefinition` gives them. */
// biome-ignore lint/suspicious/noExplicitAny: what such a stub takes and gives is not known before it runs
type UntypedMethod = (...args: any[]) => any;

interface Writes<Req> {
  serialize: (value: Req) => Buffer;
}
interface Reads<Res> {
  deserialize: (chunk: Buffer) => Res;
}
/** What all calls of grpc-js return. */
interface AnyCall {
  cancel(): void;
  getPeer(): string;
}

/** The answer's type, from the last argument of one of the method's overloads. */
type AnswerOf<Args> = Args extends readonly [...unknown[], infer Callback]
  ? NonNullable<Callback> extends (error: never, answer: infer Res, ...rest: never[]) => unknown
    ? NonNullable<Res>
    : never
  : never;

/** One method as `promises()` gives it, from any overload of grpc-js's form of it; `never` for what is no RPC. */
// biome-ignore lint/complexity/noBannedTypes: what grpc-js calls the methods of a stub without types
type PromiseMethod<Method> = Function extends Method
  ? UntypedMethod
  : Method extends (...args: infer Args) => infer Call
    ? Call extends Writes<infer Req> & Reads<infer Res>
      ? BidiPromise<Req, Res>
      : Call extends Writes<infer Req>
        ? ClientStreamPromise<Req, AnswerOf<Args>>
        : Call extends Reads<infer Res>
          ? ServerStreamPromise<Args extends readonly [infer Req, ...unknown[]] ? Req : never, Res>
          : Call extends AnyCall
            ? UnaryPromise<Args extends readonly [infer Req, ...unknown[]] ? Req : never, AnswerOf<Args>>
            : never
    : never;

/** The methods of a stub, by their names there, as promises and async iterables. */
export type PromiseClient<S> = {
  readonly [Name in Exclude<keyof S, keyof Client> as [PromiseMethod<S[Name]>] extends [never]
    ? never
    : Name]: PromiseMethod<S[Name]>;
};
