import { echoCalls } from "./echo-calls.js";
import { type EchoStub, echoStub } from "./echo-stub.js";
import { inTurn } from "./in-turn.js";
import type { Client, Place, Stack } from "./stack.js";

/**
 * grpc-js with its default options: the reference of every ratio. Over sockets it is three stubs used in turn, because
 * three connections mean fewer frames per write, for any client.
 */
export const bare: Stack = {
  name: "bare",
  places: ["fake", "sockets"],
  hasStreams: true,
  retries: false,
  open(place: Place): Client {
    const stubs = bareStubs(place);
    return {
      ...echoCalls(stubs.next, place),
      close: stubs.close,
    };
  },
};

/** One plain stub per server; stacks that wrap bare stubs begin here too. */
export function bareStubs(place: Place): { next: () => EchoStub; close(): void } {
  const stubs = open(place);
  const [only] = stubs;
  return {
    next: only !== undefined && stubs.length === 1 ? () => only : inTurn(stubs),
    close() {
      for (const stub of stubs) stub.close();
    },
  };
}

function open(place: Place): EchoStub[] {
  if (place.kind === "fake") {
    const channelOverride = place.makeChannel("fake:bare");
    return [echoStub("fake:bare", { channelOverride })];
  }
  // Stubs with equal options would share their sockets with their twins.
  return place.addresses.map((address) => echoStub(address, { "grpc.use_local_subchannel_pool": 1 }));
}
