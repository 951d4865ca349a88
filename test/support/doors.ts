import * as grpc from "@grpc/grpc-js";
import { type ChannelView, createChannel, type HardenOptions, harden, stubFor } from "holdfast";
import type { AnyFlavour } from "../fixtures/stubs/flavours.js";
import { composedInterceptors } from "./composed-interceptors.js";
import type { AnyContractStub } from "./contract-calls.js";
import type { DoorId } from "./door-differences.js";
import { promisedStub } from "./promised-stub.js";

/** What a test may set when it opens a door. */
export interface DoorOptions {
  /** Of the channel, without its credentials; of the interceptors where they take the channel's place. */
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
  /** Throws where the door has no channel of ours. */
  readonly channel: Pick<ChannelView, "stats" | "onEvent" | "endpoints" | "close">;
  close(): Promise<void>;
}

/** A way for a user to reach Holdfast. */
export interface Door {
  /** Its column in the table of differences. */
  readonly id: DoorId;
  readonly name: string;
  /** False where the calls go over the stub's own grpc-js channel, which knows one address. */
  readonly isPooled: boolean;
  /** True where the stub is promises, dressed up as one. */
  readonly isPromised?: true;
  open(flavour: AnyFlavour, options: Required<DoorOptions>): OpenDoor;
}

/** Retries come at once, and no test empties the bucket of another. */
export const QUICK = {
  retry: { backoff: { kind: "immediate" }, throttle: false },
} as const satisfies DoorOptions["channel"];

/** grpc-js would let stubs of other tests share the socket. */
const OWN_CHANNEL = { "grpc.use_local_subchannel_pool": 1, "grpc.initial_reconnect_backoff_ms": 100 };

const overPool: Door = {
  id: "harden",
  name: "harden over a pool",
  isPooled: true,
  open(flavour, { channel: options, client, credentials, addresses }) {
    const plain = new flavour.Client("127.0.0.1:9", credentials, client);
    const stub = harden(plain, {
      ...options,
      target: targetOf(addresses),
      ...security(credentials, options),
    });
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
};

/** The doors whose calls callbacks and streams of a stub make, over a channel of ours. */
export const doors: readonly Door[] = [
  overPool,
  {
    id: "bare",
    name: "harden without credentials",
    isPooled: false,
    open(flavour, { channel: options, client, credentials, addresses }) {
      const plain = new flavour.Client(addresses[0] ?? "", credentials, { ...client, ...OWN_CHANNEL });
      const stub = harden(plain, options);
      const channel = stub.getChannel();
      return { stub, channel, close: () => channel.close({ drainMs: 0 }) };
    },
  },
  {
    id: "stubFor",
    name: "stubFor on a shared channel",
    isPooled: true,
    open(flavour, { channel: options, client, credentials, addresses }) {
      const channel = createChannel(targetOf(addresses), { ...options, ...security(credentials, options) });
      const stub = stubFor(flavour.Client, channel, client);
      return { stub, channel, close: () => channel.close({ drainMs: 0 }) };
    },
  },
  {
    id: "override",
    name: "channelOverride by hand",
    isPooled: true,
    open(flavour, { channel: options, client, credentials, addresses }) {
      const channel = createChannel(targetOf(addresses), { ...options, ...security(credentials, options) });
      const stub = new flavour.Client("", grpc.credentials.createInsecure(), {
        ...client,
        channelOverride: channel,
      });
      return { stub, channel, close: () => channel.close({ drainMs: 0 }) };
    },
  },
];

/** Promises, dressed up as a stub, and plain clients of grpc-js. */
export const furtherDoors: readonly Door[] = [
  {
    id: "promises",
    name: "promises over a hardened stub",
    isPromised: true,
    isPooled: true,
    open(flavour, options) {
      const { stub, channel, close } = overPool.open(flavour, options);
      return { stub: promisedStub(stub), channel, close };
    },
  },
  {
    id: "plainPromises",
    name: "promises over a plain stub",
    isPromised: true,
    isPooled: false,
    open(flavour, { client, credentials, addresses }) {
      const plain = new flavour.Client(addresses[0] ?? "", credentials, { ...client, ...OWN_CHANNEL });
      return withoutChannel(promisedStub(plain));
    },
  },
  {
    id: "interceptors",
    name: "all interceptors on a plain client",
    isPooled: false,
    open(flavour, { channel: options, client, credentials, addresses }) {
      const ours = composedInterceptors(options, Reflect.get(flavour.Client, "service"));
      // Theirs stand outside of ours, where those of a hardened stub are.
      const chain =
        client.interceptor_providers === undefined
          ? { interceptors: [...(client.interceptors ?? []), ours] }
          : { interceptor_providers: [...client.interceptor_providers, () => ours] };
      const plain = new flavour.Client(addresses[0] ?? "", credentials, {
        ...chain,
        ...OWN_CHANNEL,
        "grpc.enable_retries": 0,
      });
      return withoutChannel(plain);
    },
  },
];

function withoutChannel(stub: AnyContractStub): OpenDoor {
  return {
    stub,
    get channel(): never {
      throw new Error("this door has no channel of Holdfast");
    },
    async close() {
      // grpc-js leaves the socket of a channel behind that is closed while it dials.
      if (stub.getChannel().getConnectivityState(false) === grpc.connectivityState.CONNECTING) {
        await new Promise((resolve) => stub.waitForReady(Date.now() + 1_000, resolve));
      }
      stub.close();
    },
  };
}

function targetOf(addresses: readonly string[]): string {
  return `static:///${addresses.join(",")}`;
}

function security(
  credentials: grpc.ChannelCredentials,
  { tls }: Required<DoorOptions>["channel"],
): Pick<HardenOptions, "credentials" | "insecure"> {
  if (tls !== undefined) return {};
  return credentials._isSecure() ? { credentials } : { insecure: true };
}
