import { type Client, Metadata } from "@grpc/grpc-js";
import { configInvalid } from "../../core/index.js";
import type { MethodKind } from "./stub-methods.js";

const KINDS = {
  makeUnaryRequest: { requestStream: false, responseStream: false },
  makeServerStreamRequest: { requestStream: false, responseStream: true },
  makeClientStreamRequest: { requestStream: true, responseStream: false },
  makeBidiStreamRequest: { requestStream: true, responseStream: true },
} as const;

/**
 * Finds out the kind of a method written by hand, which nothing else tells: runs it on an heir of the stub, on which
 * grpc-js's four ways of making a call note which one was taken, and make none.
 *
 * @throws ResilienceError `CONFIG_INVALID` for a method that does not call through its `this`
 */
export function probeKind(stub: Client, name: string, first: unknown): MethodKind {
  let kind: MethodKind | null = null;
  const noted = Symbol("noted");
  const note = (found: Omit<MethodKind, "name">) => ({
    value: (): never => {
      kind = { name, ...found };
      throw noted;
    },
  });
  const heir = Object.create(stub, {
    makeUnaryRequest: note(KINDS.makeUnaryRequest),
    makeServerStreamRequest: note(KINDS.makeServerStreamRequest),
    makeClientStreamRequest: note(KINDS.makeClientStreamRequest),
    makeBidiStreamRequest: note(KINDS.makeBidiStreamRequest),
  });
  let cause: unknown;
  try {
    // A field of the stub itself is bound to it, and would make a call.
    if (!Object.hasOwn(stub, name)) Reflect.get(heir, name).call(heir, first, new Metadata(), {}, () => {});
  } catch (error) {
    cause = error;
  }
  if (kind !== null) return kind;
  throw configInvalid(
    `promises: ${name} of ${stub.constructor.name} does not tell what kind of method it is; give the class a static "service" with the definitions, as generators do`,
    cause,
  );
}
