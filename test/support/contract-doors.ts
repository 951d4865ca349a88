import * as grpc from "@grpc/grpc-js";
import { type ChannelView, createChannel, type HardenOptions, harden, stubFor } from "holdfast";
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import { type AnyFlavour, flavours } from "../fixtures/stubs/flavours.js";
import { type AnyContractStub, type CallArgs, type CallEnd, callToEnd, type Kind } from "./contract-calls.js";
import { type DirectedRun, DirectedServer } from "./directed-server.js";
import { type LeakBaseline, leakBaseline } from "./leak-check.js";

/** What a test may set when it opens a door. */
export interface DoorOptions {
  /** Of the channel, without its credentials. */
  readonly channel?: Omit<HardenOptions, "credentials" | "insecure" | "target">;
  /** Of the grpc-js client: interceptors. */
  readonly client?: Pick<grpc.ClientOptions, "interceptors" | "interceptor_providers">;
  readonly credentials?: grpc.ChannelCredentials;
  /** Where the calls go, `host:port`; the servers of the suite unless given. */
  readonly addresses?: readonly string[];
}

/** A stub whose calls go through Holdfast. */
export interface OpenDoor {
  readonly stub: AnyContractStub;
  readonly channel: Pick<ChannelView, "stats" | "onEvent" | "endpoints" | "close">;
  close(): Promise<void>;
}

/** A way for a user to reach Holdfast. */
export interface Door {
  readonly name: string;
  /** False where the calls go over the stub's own grpc-js channel, which knows one address. */
  readonly isPooled: boolean;
  open(flavour: AnyFlavour, options: Required<DoorOptions>): OpenDoor;
}

/** Retries come at once, and no test empties the bucket of another. */
export const QUICK = {
  retry: { backoff: { kind: "immediate" }, throttle: false },
} as const satisfies DoorOptions["channel"];

export const doors: readonly Door[] = [
  {
    name: "harden over a pool",
    isPooled: true,
    open(flavour, { channel: options, client, credentials, addresses }) {
      const plain = new flavour.Client("127.0.0.1:9", credentials, client);
      const stub = harden(plain, { ...options, target: targetOf(addresses), ...door(credentials) });
      const channel = stub.getChannel();
      return {
        stub,
        channel,
        async close() {
          await channel.close({ drainMs: 0 });
          plain.close();
        },
      };
    },
  },
  {
    name: "harden without credentials",
    isPooled: false,
    open(flavour, { channel: options, client, credentials, addresses }) {
      const plain = new flavour.Client(addresses[0] ?? "", credentials, {
        ...client,
        // grpc-js would let stubs of other tests share the socket.
        "grpc.use_local_subchannel_pool": 1,
        "grpc.initial_reconnect_backoff_ms": 100,
      });
      const stub = harden(plain, options);
      const channel = stub.getChannel();
      return { stub, channel, close: () => channel.close({ drainMs: 0 }) };
    },
  },
  {
    name: "stubFor on a shared channel",
    isPooled: true,
    open(flavour, { channel: options, client, credentials, addresses }) {
      const channel = createChannel(targetOf(addresses), { ...options, ...door(credentials) });
      const stub = stubFor(flavour.Client, channel, client);
      return { stub, channel, close: () => channel.close({ drainMs: 0 }) };
    },
  },
  {
    name: "channelOverride by hand",
    isPooled: true,
    open(flavour, { channel: options, client, credentials, addresses }) {
      const channel = createChannel(targetOf(addresses), { ...options, ...door(credentials) });
      const stub = new flavour.Client("", grpc.credentials.createInsecure(), {
        ...client,
        channelOverride: channel,
      });
      return { stub, channel, close: () => channel.close({ drainMs: 0 }) };
    },
  },
];

/** One combination of stub and door, with two servers behind it. */
export class Entrance {
  readonly #opened: OpenDoor[] = [];
  #baseline: LeakBaseline | null = null;

  constructor(
    readonly flavour: AnyFlavour,
    readonly door: Door,
    private readonly serversOfSuite: () => readonly DirectedServer[],
  ) {}

  get servers(): readonly DirectedServer[] {
    return this.serversOfSuite();
  }

  /** Opens the door; it is closed after the test. */
  open(options: DoorOptions = {}): OpenDoor {
    const opened = this.door.open(this.flavour, {
      channel: QUICK,
      client: {},
      credentials: grpc.credentials.createInsecure(),
      addresses: this.servers.map((server) => server.address),
      ...options,
    });
    this.#opened.push(opened);
    return opened;
  }

  /** A call from begin to end through a door opened for it. */
  call(kind: Kind | "read", args: CallArgs = {}, options: DoorOptions = {}): Promise<CallEnd> {
    return callToEnd(this.flavour, this.open(options).stub, kind, args);
  }

  /** Handler runs of this test, on all servers. */
  get runs(): readonly DirectedRun[] {
    return this.servers.flatMap((server) => server.runs);
  }

  /** Resolves with the next call that reaches a handler of any server. */
  async nextRun(): Promise<void> {
    await Promise.race(this.servers.map((server) => server.received(server.receivedCount + 1)));
  }

  /** Resolves once a server hears that a call of its was cancelled. */
  async nextCancel(): Promise<void> {
    await Promise.race(this.servers.map((server) => server.cancelled(server.cancelledCount + 1)));
  }

  async begin(): Promise<void> {
    for (const server of this.servers) server.runs.length = 0;
    this.#baseline = await leakBaseline();
  }

  async end(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((opened) => opened.close()));
    await this.#baseline?.expectClean();
  }
}

/**
 * Runs a suite for every combination of stub and door, unless fewer are named. Each test begins and ends without an
 * open connection.
 */
export function describeDoors(
  suite: (entrance: Entrance) => void,
  through: readonly Door[] = doors,
  stubs: readonly AnyFlavour[] = flavours,
): void {
  let servers: readonly DirectedServer[] = [];
  beforeAll(async () => {
    servers = await Promise.all([DirectedServer.start(), DirectedServer.start()]);
  });
  afterAll(async () => {
    await Promise.all(servers.map((server) => server.stop()));
  });

  for (const door of through) {
    for (const flavour of stubs) {
      describe(`a ${flavour.name} stub through ${door.name}`, () => {
        const entrance = new Entrance(flavour, door, () => servers);
        beforeEach(() => entrance.begin());
        afterEach(() => entrance.end());

        suite(entrance);
      });
    }
  }
}

function targetOf(addresses: readonly string[]): string {
  return `static:///${addresses.join(",")}`;
}

function door(
  credentials: grpc.ChannelCredentials,
): { insecure: true } | { credentials: grpc.ChannelCredentials } {
  return credentials._isSecure() ? { credentials } : { insecure: true };
}
