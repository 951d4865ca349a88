import type { Client } from "@grpc/grpc-js";
import { configInvalid } from "../../core/index.js";
import { describe } from "../stub-shape.js";
import type { PromiseClient } from "./promise-types.js";
import { StubDoor } from "./stub-door.js";
import { methodNames } from "./stub-methods.js";

const made = new WeakMap<Client, object>();

/**
 * The methods of a stub as promises and async iterables: `await promises(users).getUser({ id }, { timeoutMs: 500 })`.
 * Unary and client-streaming methods return a promise, server-streaming ones an async iterable, bidirectional ones an
 * object that writes and is iterable. Failures are `ResilienceError`s. For the same stub it is the same object.
 *
 * Made for stubs of `harden` and `stubFor`; on a stub of grpc-js alone it takes of the settings `timeoutMs`, `deadline`
 * and `signal`, and refuses those that need our channel.
 *
 * @throws ResilienceError `CONFIG_INVALID` when the stub is none; by the methods, when their options are wrong
 */
export function promises<S extends Client>(stub: S): PromiseClient<S> {
  if (!isStub(stub)) {
    throw configInvalid(`promises: the stub is ${describe(stub)}; allowed: a grpc-js client`);
  }
  let client = made.get(stub);
  if (client === undefined) {
    const door = new StubDoor(stub);
    client = Object.fromEntries(methodNames(stub).map((name) => [name, door.method(name)]));
    made.set(stub, client);
  }
  return client as PromiseClient<S>;
}

function isStub(stub: unknown): stub is Client {
  return typeof stub === "object" && stub !== null && typeof Reflect.get(stub, "getChannel") === "function";
}
