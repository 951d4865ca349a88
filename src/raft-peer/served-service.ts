import { inspect } from "node:util";
import { type MethodDefinition, type Server, status as Status, type sendUnaryData } from "@grpc/grpc-js";
import { problemsError } from "../core/index.js";
import type { ServedMethod } from "./served-method.js";

/** Characters of an error's text that go on the wire: it travels in a header, and a large one ends the connection. */
const MAX_DETAILS = 1_000;

/** The status a served method answers with instead of a response; grpc-js sends its `code` and `details`. */
export class ServedFailure extends Error {
  readonly details: string;

  constructor(
    readonly code: Status,
    details: string,
    cause?: unknown,
  ) {
    const text = sendable(details);
    super(text, { cause });
    this.details = text;
  }
}

/** How one method gets from the bytes' messages to the handler and back. */
interface Stages<WireRequest, Request, Reply, WireReply> {
  readonly definition: MethodDefinition<WireRequest, WireReply>;
  readonly fromWire: (message: WireRequest) => Request;
  readonly run: (request: Request) => Reply | Promise<Reply>;
  readonly toWire: (reply: Reply) => WireReply;
}

/**
 * A method whose every failure is a `ServedFailure`: a request that does not fit is INVALID_ARGUMENT, a reply that does
 * not is INTERNAL, and so is what the handler throws, unless it carries a gRPC code of its own.
 */
export function servedMethod<WireRequest, Request, Reply, WireReply>(
  stages: Stages<WireRequest, Request, Reply, WireReply>,
): ServedMethod {
  const { definition, fromWire, run, toWire } = stages;
  return {
    definition,
    async handle(message: WireRequest): Promise<WireReply> {
      const request = orFailure(Status.INVALID_ARGUMENT, "the request cannot be taken", () =>
        fromWire(message),
      );
      let reply: Reply;
      try {
        reply = await run(request);
      } catch (error) {
        throw failureOf(error);
      }
      return orFailure(Status.INTERNAL, "the handler's reply cannot be sent", () => toWire(reply));
    },
  };
}

/**
 * Adds the methods to a gRPC server. Whatever a handler does, a call ends with a status and the server lives on.
 * @throws Error when the server has one of the methods already
 */
export function addMethods(server: Server, methods: readonly ServedMethod[]): void {
  const named = methods.map((method) => [method.definition.path, method] as const);
  server.addService(
    Object.fromEntries(named.map(([path, { definition }]) => [path, definition])),
    Object.fromEntries(named.map(([path, method]) => [path, unaryHandler(method)])),
  );
}

/** @throws ResilienceError `CONFIG_INVALID` naming each method that the handler lacks */
export function checkHandler(where: string, handler: object, methods: readonly string[]): void {
  const missing = methods.filter((name) => typeof Reflect.get(Object(handler), name) !== "function");
  if (missing.length === 0) return;
  throw problemsError(
    where,
    missing.map((name) => `the handler has no method ${name}; allowed: one with ${methods.join(", ")}`),
  );
}

function unaryHandler(method: ServedMethod) {
  return ({ request }: { request: unknown }, callback: sendUnaryData<unknown>): void => {
    method.handle(request).then(
      (response) => callback(null, response),
      (error: unknown) => callback(error instanceof ServedFailure ? error : failureOf(error)),
    );
  };
}

function orFailure<T>(code: Status, what: string, convert: () => T): T {
  try {
    return convert();
  } catch (error) {
    throw new ServedFailure(code, `${what}: ${textOf(error)}`, error);
  }
}

/** Never throws, whatever a handler has thrown: getters and inspectors of its own may throw again. */
export function failureOf(error: unknown): ServedFailure {
  try {
    return failureFrom(error);
  } catch {
    return new ServedFailure(Status.INTERNAL, "the handler threw something that cannot be read", error);
  }
}

function failureFrom(error: unknown): ServedFailure {
  const { code, details } = Object(error) as { code?: unknown; details?: unknown };
  if (!isFailureCode(code)) return new ServedFailure(Status.INTERNAL, textOf(error), error);
  return new ServedFailure(code, typeof details === "string" ? details : textOf(error), error);
}

/** OK is no failure: with it a call would end without an answer. */
function isFailureCode(code: unknown): code is Status {
  return (
    Number.isInteger(code) &&
    (code as number) >= Status.CANCELLED &&
    (code as number) <= Status.UNAUTHENTICATED
  );
}

function textOf(error: unknown): string {
  return error instanceof Error ? String(error.message) : inspect(error, { depth: 0 });
}

/** grpc-js encodes the text as a URI, which throws on half a surrogate pair, and would end the process. */
function sendable(text: string): string {
  return text.slice(0, MAX_DETAILS).replace(/\p{Surrogate}/gu, "\uFFFD");
}
