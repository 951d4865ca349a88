import type { ChannelInterface } from "@grpc/grpc-js";

/** Makes one unary call and says how it ended; a stack that answers with promises adapts them here. */
export type UnaryCall = (request: Buffer, done: (error: Error | null) => void) => void;

/** A client of some stack, ready to make calls. */
export interface Client {
  readonly call: UnaryCall;
  close(): void;
}

/** A transport without sockets that answers every call at the next tick. */
export interface FakePlace {
  readonly kind: "fake";
  makeChannel(target: string): ChannelInterface;
}

/** Servers in processes of their own, on loopback. */
export interface SocketPlace {
  readonly kind: "sockets";
  readonly addresses: readonly string[];
}

/** Where calls go. */
export type Place = FakePlace | SocketPlace;

/** One row of the tables: a way to make the same unary call. To add a stack, write a file and name it in `index.ts`. */
export interface Stack {
  /** As printed, and as `--stacks` takes it. */
  readonly name: string;
  readonly places: readonly Place["kind"][];
  /** Opened twice in each place: the second client is the first one's twin, which shows the noise. */
  open(place: Place): Client;
}
