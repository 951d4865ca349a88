import { type MethodDefinition, status } from "@grpc/grpc-js";
import type { LinkFailure, LinkResult, UnaryLink } from "../../src/raft-peer/unary-link.js";

/** One call as the link saw it. */
export interface SeenCall {
  /** The method's name, without its service. */
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: generated messages of any method.
  readonly request: any;
  readonly timeoutMs: number;
}

/** A generated message to answer with, a failure, or "hang" for no answer until the link is closed. */
export type ScriptedAnswer = object | LinkFailure | "hang";

/** A link without a network: it keeps what it is asked, and answers what the test says. */
export class ScriptedLink implements UnaryLink {
  readonly address = "10.0.0.1:5001";
  readonly calls: SeenCall[] = [];
  closings = 0;
  readonly #answer: (call: SeenCall) => ScriptedAnswer;
  readonly #hanging = new Set<(result: LinkResult<never>) => void>();

  constructor(answer: (call: SeenCall) => ScriptedAnswer) {
    this.#answer = answer;
  }

  call<Request, Response>(
    method: MethodDefinition<Request, Response>,
    request: Request,
    timeoutMs: number,
    done: (result: LinkResult<Response>) => void,
  ): () => void {
    const call = { method: method.path.replace(/.*\//, ""), request, timeoutMs };
    this.calls.push(call);
    const answer = this.#answer(call);
    if (answer === "hang") {
      this.#hanging.add(done);
      return () => {};
    }
    const result =
      "ok" in answer ? (answer as LinkFailure) : { ok: true, response: answer as Response, ms: 0 };
    queueMicrotask(() => done(result as LinkResult<Response>));
    return () => {};
  }

  /** Answers all that hangs. */
  succeed(response: object): void {
    this.#settle({ ok: true, response: response as never, ms: 0 });
  }

  /** Fails all that hangs. */
  fail(result: LinkFailure = failure()): void {
    this.#settle(result);
  }

  async close(): Promise<void> {
    this.closings++;
    this.fail(failure("closed", { processed: "maybe" }));
  }

  #settle(result: LinkResult<never>): void {
    for (const done of this.#hanging) queueMicrotask(() => done(result));
    this.#hanging.clear();
  }
}

/** A failed call: `unreachable` and `no`, unless said otherwise. */
export function failure(
  kind: LinkFailure["kind"] = "unreachable",
  said: Partial<LinkFailure> = {},
): LinkFailure {
  return {
    ok: false,
    kind,
    code: status.UNAVAILABLE,
    reason: "DIAL_FAILED",
    processed: "no",
    details: "connection refused",
    ms: 0,
    attempts: [],
    ...said,
  };
}
