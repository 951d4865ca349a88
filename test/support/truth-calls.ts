import * as grpc from "@grpc/grpc-js";
import { callOptions, type FailureReport, harden, type Processed } from "holdfast";
import { type CounterClient, type CounterMethod, counterClient } from "./counter-service.js";
import { CELL_KEY } from "./truth-streams.js";

/** The two ways from a stub to a server that differ in what they can know. */
export const DOORS = ["pool", "own channel"] as const;
export type TruthDoor = (typeof DOORS)[number];

export const KINDS: readonly CounterMethod[] = ["Unary", "ServerStream", "ClientStream", "Bidi"];

/** A hardened stub for the calls of one cell. */
export interface TruthClient {
  readonly stub: CounterClient;
  close(): Promise<void>;
}

const POLICY = { retry: { backoff: { kind: "immediate" }, throttle: false } } as const;

/**
 * A client of its own for one cell. Through the pool its first endpoint is tried first and the others only after it;
 * a stub's own channel knows the first address alone.
 */
export function openTruthClient(door: TruthDoor, addresses: readonly string[]): TruthClient {
  const plain = counterClient(addresses[0] ?? "", { "grpc.initial_reconnect_backoff_ms": 100 });
  const pool = {
    target: `static:///${addresses.join(",")}`,
    insecure: true,
    loadBalancing: "pick_first",
    reconnectBackoff: { initialMs: 10, maxMs: 10 },
  } as const;
  const stub = harden(plain, door === "pool" ? { ...POLICY, ...pool } : POLICY);
  return {
    stub,
    async close() {
      await stub.getChannel().close({ drainMs: 0 });
      plain.close();
    },
  };
}

export interface TruthCall {
  readonly kind: CounterMethod;
  readonly cell: string;
  readonly isIdempotent: boolean;
  readonly timeoutMs: number;
}

/** How a call ended, in the caller's eyes. */
export interface Told {
  readonly told: "ok" | Processed;
  readonly report: Partial<FailureReport> & { readonly details?: string };
}

/** Makes a call of any kind, two messages in each direction that streams, and waits for its end. Never rejects. */
export function tell(stub: CounterClient, call: TruthCall): Promise<Told> {
  const { kind, cell, isIdempotent, timeoutMs } = call;
  const metadata = new grpc.Metadata();
  metadata.set(CELL_KEY, cell);
  const options = callOptions({ idempotent: isIdempotent, timeoutMs });
  return new Promise((resolve) => {
    const onEnd = (status: { readonly code: grpc.status } | null): void => resolve(toldBy(status));
    const single = (error: grpc.ServiceError | null): void => onEnd(error);
    if (kind === "Unary") return void stub.unary(Buffer.from("one"), metadata, options, single);
    if (kind === "ServerStream") return read(stub.serverStream(Buffer.from("a,b"), metadata, options), onEnd);
    const stream =
      kind === "Bidi" ? stub.bidi(metadata, options) : stub.clientStream(metadata, options, single);
    // A unary answer has no stream to listen to for its errors, but its callback.
    if (kind === "Bidi") read(stream as grpc.ClientDuplexStream<Buffer, Buffer>, onEnd);
    for (const text of ["a", "b"]) stream.write(Buffer.from(text));
    stream.end();
  });
}

function read(stream: grpc.ClientReadableStream<Buffer>, onEnd: (status: grpc.StatusObject) => void): void {
  stream.on("data", () => {});
  // The status says the same; without a listener the error would end the test process.
  stream.on("error", () => {});
  stream.on("status", onEnd);
}

function toldBy(status: (Partial<FailureReport> & { readonly code: grpc.status }) | null): Told {
  if (status === null || status.code === grpc.status.OK) return { told: "ok", report: {} };
  // Without a report the call did not end by our word, which no cell allows.
  return { told: status.processed ?? "yes", report: status };
}
