import type { MethodDefinition } from "@grpc/grpc-js";
import { saidBy } from "../core/index.js";
import { unsentFailure } from "./local-failure.js";
import { MemoryCall, type MemoryRoute } from "./memory-call.js";
import { copied } from "./memory-server.js";
import type { MemoryState } from "./memory-state.js";
import type { LinkFailure, LinkResult, UnaryLink } from "./unary-link.js";

/** What is needed of a method to send a request. */
type EncodedBy<Request> = Pick<MethodDefinition<Request, unknown>, "path" | "requestSerialize">;

/** Calls from one address to another on a `MemoryNetwork`. */
export class MemoryLink implements UnaryLink {
  readonly address: string;
  readonly #state: MemoryState;
  readonly #route: MemoryRoute;
  readonly #calls = new Set<MemoryCall>();
  #isClosed = false;

  constructor(state: MemoryState, from: string, to: string) {
    this.address = to;
    this.#state = state;
    this.#route = { from, to, onOver: (call) => void this.#calls.delete(call) };
  }

  call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    timeoutMs: number,
    done: (result: LinkResult<Response>) => void,
  ): () => void {
    const encoded = this.#isClosed
      ? unsentFailure("closed", `the link to ${this.address} is closed`)
      : this.#encode(method, request, timeoutMs);
    if ("ok" in encoded) {
      queueMicrotask(() => done(encoded));
      return () => {};
    }
    const call = new MemoryCall(this.#state, this.#route, method, encoded, done);
    this.#calls.add(call);
    call.start(timeoutMs);
    return () => call.cancel();
  }

  /** Messages under way on it are lost, so that nothing of it is left. */
  async close(): Promise<void> {
    this.#isClosed = true;
    for (const call of this.#calls) call.drop();
  }

  #encode<Request>(method: EncodedBy<Request>, request: Request, timeoutMs: number): Buffer | LinkFailure {
    if (!Number.isFinite(timeoutMs)) {
      return unsentFailure("invalid", `timeoutMs is ${timeoutMs}; allowed: a number of milliseconds`);
    }
    let bytes: Buffer;
    try {
      bytes = copied(method.requestSerialize(request));
    } catch (error) {
      return unsentFailure("invalid", `${method.path}: the request cannot be sent: ${saidBy(error)}`);
    }
    const { maxMessageBytes } = this.#state.options;
    if (bytes.length <= maxMessageBytes) return bytes;
    return unsentFailure(
      "too-large",
      `the request to ${this.address} has ${bytes.length} bytes, allowed are ${maxMessageBytes}`,
    );
  }
}
