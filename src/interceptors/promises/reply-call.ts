import { status as Status } from "@grpc/grpc-js";
import { type CallEnd, rejectLater } from "./call-failure.js";
import type { CallPlan } from "./call-plan.js";
import { PromisedCall } from "./promised-call.js";
import { RequestWriter } from "./request-writer.js";

/** A call with one answer: unary, or a stream of requests. */
export class ReplyCall<Res> extends PromisedCall {
  #reply: Res | undefined;
  #writer: RequestWriter | null = null;

  constructor(
    plan: CallPlan,
    private readonly resolve: (reply: Res | Promise<never>) => void,
  ) {
    super(plan);
  }

  /** For calls that send more than the one request given at their begin. */
  get writer(): RequestWriter {
    this.#writer ??= new RequestWriter(this);
    return this.#writer;
  }

  onMessage(message: unknown): void {
    if (this.hasMessage) {
      this.fail({ code: Status.UNIMPLEMENTED, details: "Too many responses received", reason: "REMOTE" });
      return;
    }
    this.hasMessage = true;
    this.#reply = message as Res;
    // Or a second answer, which must not be, would keep the status back until the deadline.
    this.call?.read();
  }

  onSent(): void {
    this.#writer?.onSent();
  }

  protected override onEnd(end: CallEnd): void {
    this.#writer?.onEnd(end);
    if (end.fault !== null || end.status.code !== Status.OK) return this.resolve(rejectLater(end));
    if (this.hasMessage) return this.resolve(this.#reply as Res);
    const fault = { code: Status.UNIMPLEMENTED, details: "No message received", reason: "REMOTE" } as const;
    this.resolve(rejectLater({ ...end, fault }));
  }
}
