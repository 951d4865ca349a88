import { promises } from "../../src/index.js";
import { hardenedStub } from "./holdfast.js";
import { promiseCalls } from "./promise-calls.js";
import type { Client, Place, Stack } from "./stack.js";

/** The hardened stub through `promises()`: the same channel and options, without the callback layer of grpc-js. */
export const holdfastPromises: Stack = {
  name: "promises",
  places: ["fake", "sockets"],
  hasStreams: true,
  retries: true,
  isOurs: true,
  open(place: Place): Client {
    const { stub, close } = hardenedStub(place);
    return { ...promiseCalls(promises(stub), place), close };
  },
};
