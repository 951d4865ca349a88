import { bareStubs } from "./bare.js";
import type { EchoStub } from "./echo-stub.js";
import { call } from "./promise-calls.js";
import type { Client, Place, Stack } from "./stack.js";

/** A function library around a call: `run` makes the call under its policies. */
export interface Wrapper {
  run(unary: (request: Buffer) => Promise<Buffer | undefined>, request: Buffer): Promise<unknown>;
  close(): void;
}

/** A stack of bare stubs whose unary calls go through such a library, as its users wrap them. */
export function wrappedBare(name: string, retries: boolean, makeWrapper: () => Wrapper): Stack {
  return {
    name,
    places: ["fake", "sockets"],
    hasStreams: false,
    retries,
    open(place: Place): Client {
      const stubs = bareStubs(place);
      const wrapper = makeWrapper();
      const unary = (request: Buffer) => promised(stubs.next(), request);
      return {
        unary: call((request) => wrapper.run(unary, request)),
        close() {
          wrapper.close();
          stubs.close();
        },
      };
    },
  };
}

function promised(stub: EchoStub, request: Buffer): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) =>
    stub.unary(request, (error, reply) => (error === null ? resolve(reply) : reject(error))),
  );
}
