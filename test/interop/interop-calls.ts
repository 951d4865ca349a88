import { once } from "node:events";
import * as grpc from "@grpc/grpc-js";
import type { AnswerCallback } from "../fixtures/stubs/stub-types.js";

/** All that grpc-js told of a call. */
export interface EndedCall<R> {
  readonly responses: readonly R[];
  readonly error: grpc.ServiceError | null;
  readonly headers: grpc.Metadata;
  readonly trailers: grpc.Metadata;
}

/** A call with one response, to its status, which grpc-js emits after its callback. */
export async function singleResponse<R>(
  start: (callback: AnswerCallback<R>) => grpc.ClientUnaryCall | grpc.ClientWritableStream<object>,
): Promise<EndedCall<R>> {
  const responses: R[] = [];
  let error: grpc.ServiceError | null = null;
  let headers = new grpc.Metadata();
  const call = start((failure, response) => {
    error = failure;
    if (response !== undefined) responses.push(response);
  });
  call.on("metadata", (metadata: grpc.Metadata) => {
    headers = metadata;
  });
  const [status] = (await once(call, "status")) as [grpc.StatusObject];
  return { responses, error, headers, trailers: status.metadata };
}

/** The responses of a streaming call as they come. */
export class Responses<R> {
  readonly #received: R[] = [];
  readonly #stream: grpc.ClientReadableStream<R>;
  #taken = 0;
  /** Resolves once the call has told its status and its end; an error ends it, too. */
  readonly ended: Promise<EndedCall<R>>;

  constructor(stream: grpc.ClientReadableStream<R>) {
    this.#stream = stream;
    this.ended = this.#watch(stream);
  }

  /** The response after the last one taken. */
  async next(): Promise<R> {
    const at = this.#taken++;
    if (this.#received.length <= at) await Promise.race([once(this.#stream, "data"), this.ended]);
    const response = this.#received[at];
    if (response === undefined) throw new Error(`the call ended after ${this.#received.length} responses`);
    return response;
  }

  async #watch(stream: grpc.ClientReadableStream<R>): Promise<EndedCall<R>> {
    let headers = new grpc.Metadata();
    stream.on("data", (response: R) => this.#received.push(response));
    stream.on("metadata", (metadata: grpc.Metadata) => {
      headers = metadata;
    });
    const status = new Promise<grpc.StatusObject>((resolve) => {
      stream.on("status", resolve);
    });
    const error = new Promise<grpc.ServiceError | null>((resolve) => {
      stream.on("error", (failure) => resolve(failure as grpc.ServiceError));
      // After an error Node may end the stream as well, which is the same end.
      stream.on("end", () => resolve(null));
    });
    const { metadata: trailers } = await status;
    return { responses: this.#received, error: await error, headers, trailers };
  }
}
