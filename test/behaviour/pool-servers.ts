import type * as grpc from "@grpc/grpc-js";
import { type CallResult, type CounterClient, counterService, unary } from "../support/counter-service.js";
import { HealthServer } from "../support/health-server.js";
import type { ManualClock } from "../support/manual-clock.js";
import type { UnaryBehaviour } from "../support/scripted-unary.js";
import type { Stage } from "../support/stage.js";

/** A server of the test service with a health service beside it, as services in a cluster are. */
export interface HealthyServer {
  readonly address: string;
  readonly health: HealthServer;
  /** Calls that reached `Unary`. */
  readonly served: number;
  /** Client sockets that carried a call of `Unary`. */
  readonly peers: ReadonlySet<string>;
  /** What `Unary` does from the next call on; echoes by default. */
  unary: UnaryBehaviour;
}

/** A server of one service more, beside health and the test service. */
export type MoreServices = (server: grpc.Server) => void;

export async function healthyServer(stage: Stage, more: MoreServices = () => {}): Promise<HealthyServer> {
  const peers = new Set<string>();
  const own: { unary: UnaryBehaviour; served: number } = {
    unary: (call, callback) => callback(null, call.request),
    served: 0,
  };
  const handler: UnaryBehaviour = (call, callback) => {
    own.served++;
    peers.add(call.getPeer());
    own.unary(call, callback);
  };
  const others = {
    serverStream: (call: grpc.ServerWritableStream<Buffer, Buffer>) => {
      for (const part of String(call.request).split(",")) call.write(Buffer.from(part));
      call.end();
    },
    clientStream: (call: grpc.ServerReadableStream<Buffer, Buffer>, callback: grpc.sendUnaryData<Buffer>) => {
      const parts: string[] = [];
      call.on("data", (message: Buffer) => parts.push(String(message)));
      call.on("end", () => callback(null, Buffer.from(parts.join(","))));
    },
    bidi: (call: grpc.ServerDuplexStream<Buffer, Buffer>) => {
      call.on("data", (message: Buffer) => call.write(message));
      call.on("end", () => call.end());
      // Its failure shows in its status; without a listener it would end the test process.
      call.on("error", () => {});
    },
  };
  const health = stage.use(
    await HealthServer.start({
      addServices: (server) => {
        server.addService(counterService, { unary: handler, ...others });
        more(server);
      },
    }),
  );
  return Object.assign(own, { health, address: health.address, peers });
}

/** One call after the other. */
export async function sequentially(
  client: CounterClient,
  count: number,
  options: grpc.CallOptions = {},
): Promise<CallResult[]> {
  const results: CallResult[] = [];
  for (let call = 0; call < count; call++) results.push(await unary(client, "x", options));
  return results;
}

/** How often each endpoint was picked: counts in the order of the addresses. */
export function counts(picks: readonly string[], addresses: readonly string[]): number[] {
  return addresses.map((address) => picks.filter((pick) => pick === address).length);
}

/**
 * Moves the clock on in steps until `condition` holds.
 * @throws Error naming `what` when it does not hold within 200 steps
 */
export async function advanceUntil(
  clock: ManualClock,
  condition: () => boolean,
  what: string,
  stepMs = 1_000,
): Promise<void> {
  for (let step = 0; !condition(); step++) {
    if (step === 200) throw new Error(`${what} did not happen within ${step} steps of ${stepMs} ms`);
    await clock.advance(stepMs);
  }
}
