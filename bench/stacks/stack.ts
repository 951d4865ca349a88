import type { ChannelInterface } from "@grpc/grpc-js";

/** Makes one call and says how it ended; a stack that answers with promises adapts them here. */
export type Call = (request: Buffer, done: (error: Error | null) => void) => void;

/** The streaming kinds of RPC, as grpc-js spells them. */
export const STREAM_KINDS = ["serverStreaming", "clientStreaming", "bidi"] as const;
export type StreamKind = (typeof STREAM_KINDS)[number];
export type CallKind = "unary" | StreamKind;

/** A client of some stack, ready to make calls. */
export interface Client {
  readonly unary: Call;
  /** Absent where the place is "fake", or the stack is not measured with streams. */
  readonly streams?: Readonly<Record<StreamKind, Call>>;
  close(): void | Promise<void>;
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
  /** Messages of one stream: what the server sends, and what the client sends and expects. */
  readonly messagesPerStream: number;
}

/** Where calls go. */
export type Place = FakePlace | SocketPlace;

/** One row of the tables: a way to make the same calls. To add a stack, write a file and name it in `index.ts`. */
export interface Stack {
  /** As printed, and as `--stacks` takes it. */
  readonly name: string;
  readonly places: readonly Place["kind"][];
  /** Whether it also makes the three streaming calls, over sockets. */
  readonly hasStreams: boolean;
  /** Whether it repeats failed calls; of these, ours has to cost less than the others. */
  readonly retries: boolean;
  readonly isOurs?: true;
  /** Opened twice in each place: the second client is the first one's twin, which shows the noise. */
  open(place: Place): Client;
}
