import type {
  CallOptions,
  ClientUnaryCall,
  ClientWritableStream,
  ServiceError,
  StatusObject,
} from "@grpc/grpc-js";
import { type CounterClient, collect } from "../support/counter-service.js";

/** The four kinds of RPC. */
export const KINDS = ["unary", "serverStream", "clientStream", "bidi"] as const;
export type Kind = (typeof KINDS)[number];

/** A call of any kind, with one message sent and the stream closed. */
export interface KindCall {
  readonly end: Promise<StatusObject | ServiceError | null>;
  cancel(): void;
}

/** Starts a call of this kind; its end is null where it went well, and else the status or error. */
export function start(client: CounterClient, kind: Kind, options: CallOptions): KindCall {
  const message = Buffer.from("x");
  if (kind === "unary" || kind === "clientStream") {
    let call!: ClientUnaryCall | ClientWritableStream<Buffer>;
    const end = new Promise<ServiceError | null>((resolve) => {
      const done = (error: ServiceError | null): void => resolve(error);
      call = kind === "unary" ? client.unary(message, options, done) : client.clientStream(options, done);
    });
    if ("write" in call) call.end(message);
    return { end, cancel: () => call.cancel() };
  }
  const duplex = kind === "bidi" ? client.bidi(options) : null;
  duplex?.end(message);
  const stream = duplex ?? client.serverStream(message, options);
  const end = collect(stream).then(({ status }) => (status.code === 0 ? null : status));
  return { end, cancel: () => stream.cancel() };
}
