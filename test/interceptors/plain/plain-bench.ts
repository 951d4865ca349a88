import * as grpc from "@grpc/grpc-js";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { type AnyFlavour, flavours } from "../../fixtures/stubs/flavours.js";
import {
  type AnyContractStub,
  type CallArgs,
  type CallEnd,
  type ContractCall,
  callToEnd,
  type Kind,
  startCall,
} from "../../support/contract-calls.js";
import { DirectedServer } from "../../support/directed-server.js";
import { type LeakBaseline, leakBaseline } from "../../support/leak-check.js";

const TS_PROTO = flavours.find(({ name }) => name === "ts-proto") as AnyFlavour;

/** A real server and plain grpc-js clients with interceptors; after each test no socket is left. */
export class PlainBench {
  server!: DirectedServer;
  readonly #stubs: AnyContractStub[] = [];
  #baseline: LeakBaseline | null = null;

  /** A client without a pool of ours. */
  open(interceptors: grpc.Interceptor[], address = this.server.address, flavour = TS_PROTO): AnyContractStub {
    const stub = new flavour.Client(address, grpc.credentials.createInsecure(), {
      interceptors,
      "grpc.use_local_subchannel_pool": 1,
    });
    this.#stubs.push(stub);
    return stub;
  }

  start(stub: AnyContractStub, kind: Kind | "read", args: CallArgs = {}): ContractCall {
    return startCall(TS_PROTO, stub, kind, args);
  }

  call(stub: AnyContractStub, kind: Kind | "read", args: CallArgs = {}): Promise<CallEnd> {
    return callToEnd(TS_PROTO, stub, kind, args);
  }

  async begin(): Promise<void> {
    this.server.runs.length = 0;
    this.#baseline = await leakBaseline();
  }

  async end(): Promise<void> {
    for (const stub of this.#stubs.splice(0)) stub.close();
    await this.#baseline?.expectClean();
  }
}

/** One server for all tests of a file. */
export function usePlainBench(): PlainBench {
  const bench = new PlainBench();
  beforeAll(async () => {
    bench.server = await DirectedServer.start();
  });
  afterAll(() => bench.server.stop());
  beforeEach(() => bench.begin());
  afterEach(() => bench.end());
  return bench;
}
