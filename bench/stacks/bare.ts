import { type EchoStub, echoStub } from "./echo-stub.js";
import type { Client, Place, Stack } from "./stack.js";

/**
 * grpc-js with its default options: the reference of every ratio. Over sockets it is three stubs used in turn, because
 * three connections mean fewer frames per write, for any client.
 */
export const bare: Stack = {
  name: "bare",
  places: ["fake", "sockets"],
  open(place: Place): Client {
    const stubs = stubsAt(place);
    const close = (): void => {
      for (const stub of stubs) stub.close();
    };
    const [only] = stubs;
    if (only === undefined || stubs.length > 1) return { call: inTurn(stubs), close };
    return { call: (request, done) => only.unary(request, done), close };
  },
};

function stubsAt(place: Place): EchoStub[] {
  if (place.kind === "fake") {
    const channelOverride = place.makeChannel("fake:bare");
    return [echoStub("fake:bare", { channelOverride })];
  }
  // Stubs with equal options would share their sockets with their twins.
  return place.addresses.map((address) => echoStub(address, { "grpc.use_local_subchannel_pool": 1 }));
}

function inTurn(stubs: readonly EchoStub[]): Client["call"] {
  let next = 0;
  return (request, done) => {
    const stub = stubs[next] as EchoStub;
    next = next + 1 === stubs.length ? 0 : next + 1;
    stub.unary(request, done);
  };
}
