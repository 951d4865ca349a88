import type * as grpc from "@grpc/grpc-js";
import { createChannel, type HardenOptions, harden, stubFor } from "holdfast";
import { type InteropStubs, TestService, UnimplementedService } from "./interop-stubs.js";

/** Where the servers are. */
export interface Whereabouts {
  readonly addresses: readonly string[];
  readonly credentials: grpc.ChannelCredentials;
}

/** A way to call the servers. */
export interface InteropDoor {
  readonly name: string;
  open(where: Whereabouts): { readonly stubs: InteropStubs; close(): Promise<void> };
}

/** Nothing of ours between the case and the server. */
export const bareDoor: InteropDoor = {
  name: "bare grpc-js",
  open(where) {
    const stubs = bareStubs(where);
    return { stubs, close: async () => closeAll(stubs) };
  },
};

export const hardenedDoors: readonly InteropDoor[] = [
  {
    name: "harden over a pool",
    open: (where) => openHardened(where, { target: targetOf(where), credentials: where.credentials }),
  },
  {
    name: "harden without credentials",
    open: (where) => openHardened(where, {}),
  },
  {
    // With that, an answer is held until its status.
    name: "stubFor on a shared channel, unary methods declared idempotent",
    open(where) {
      const channel = createChannel(targetOf(where), {
        credentials: where.credentials,
        methods: {
          "grpc.testing.TestService/EmptyCall": { idempotent: true },
          "grpc.testing.TestService/UnaryCall": { idempotent: true },
          "grpc.testing.TestService/UnimplementedCall": { idempotent: true },
        },
      });
      const stubs = {
        test: stubFor(TestService, channel),
        unimplemented: stubFor(UnimplementedService, channel),
      };
      return { stubs, close: () => channel.close({ drainMs: 0 }) };
    },
  },
];

function openHardened(where: Whereabouts, options: HardenOptions): ReturnType<InteropDoor["open"]> {
  const bare = bareStubs(where);
  const stubs = { test: harden(bare.test, options), unimplemented: harden(bare.unimplemented, options) };
  return {
    stubs,
    async close() {
      await Promise.all(Object.values(stubs).map((stub) => stub.getChannel().close({ drainMs: 0 })));
      closeAll(bare);
    },
  };
}

function bareStubs({ addresses, credentials }: Whereabouts): InteropStubs {
  const address = addresses[0] ?? "";
  // grpc-js would let stubs of other tests share the socket.
  const options = { "grpc.use_local_subchannel_pool": 1 };
  return {
    test: new TestService(address, credentials, options),
    unimplemented: new UnimplementedService(address, credentials, options),
  };
}

function closeAll(stubs: InteropStubs): void {
  for (const stub of Object.values(stubs)) stub.close();
}

function targetOf({ addresses }: Whereabouts): string {
  return `static:///${addresses.join(",")}`;
}
