import { setTimeout as sleep } from "node:timers/promises";
import { credentials, Metadata } from "@grpc/grpc-js";
import { type GetStatusResponse, KVServiceClient } from "../../src/gen/kvraftpb/kvraft.js";

/** When a new leader came to be: not before, not after. Instants by this process's monotonic clock. */
export interface Election {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** Seldom enough to cost the nodes nothing that matters, and half of it is how far the instant may be off. */
const POLL_MS = 10;
const ANSWER_LIMIT_MS = 200;
const NO_METADATA = new Metadata();

/** Asks every node for its own view, over connections of its own, so that neither client's knowledge counts. */
export class ElectionWatch {
  readonly #stubs: readonly KVServiceClient[];

  constructor(addresses: readonly string[]) {
    // Stubs with equal options would share the sockets of the plain client.
    const options = { "grpc.use_local_subchannel_pool": 1 };
    this.#stubs = addresses.map(
      (address) => new KVServiceClient(address, credentials.createInsecure(), options),
    );
  }

  /** Connects, so that the first question of a watch is as fast as the others. */
  async connect(): Promise<void> {
    await Promise.all(this.#stubs.map((stub) => ask(stub)));
  }

  /**
   * Watches from now on.
   * @returns when another node than `old` leads; undefined when none does before the signal is aborted
   */
  async newLeader(old: number, signal: AbortSignal): Promise<Election | undefined> {
    const found = new AbortController();
    const until = AbortSignal.any([signal, found.signal]);
    const elections = await Promise.all(
      this.#stubs.map(async (stub, node) => {
        const election = node === old ? undefined : await watch(stub, until);
        if (election !== undefined) found.abort();
        return election;
      }),
    );
    const all = elections.filter((election) => election !== undefined);
    return all.sort((a, b) => a.notAfterMs - b.notAfterMs)[0];
  }

  close(): void {
    for (const stub of this.#stubs) stub.close();
  }
}

async function watch(stub: KVServiceClient, until: AbortSignal): Promise<Election | undefined> {
  let notBeforeMs = performance.now();
  while (!until.aborted) {
    const askedAtMs = performance.now();
    const status = await ask(stub);
    if (status?.state === "Leader") return { notBeforeMs, notAfterMs: performance.now() };
    // It was none at some moment after the question; without an answer nothing new is known.
    if (status !== undefined) notBeforeMs = askedAtMs;
    await sleep(Math.max(0, askedAtMs + POLL_MS - performance.now()));
  }
  return undefined;
}

function ask(stub: KVServiceClient): Promise<GetStatusResponse | undefined> {
  return new Promise((resolve) => {
    const deadline = Date.now() + ANSWER_LIMIT_MS;
    stub.getStatus({}, NO_METADATA, { deadline }, (error, status) =>
      resolve(error === null ? status : undefined),
    );
  });
}
