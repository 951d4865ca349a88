import type { InterceptingListener, MethodDefinition } from "@grpc/grpc-js";
import { status as Status } from "@grpc/grpc-js";
import type { ResilientChannel } from "../call/index.js";
import type { Clock, ReportedStatus } from "../core/index.js";
import { saidBy } from "../core/index.js";
import { linkFailure } from "./link-failure.js";
import { localFailure } from "./local-failure.js";
import type { LinkResult } from "./unary-link.js";

type ChannelCall = ReturnType<ResilientChannel["createCall"]>;

/** What is needed of a method once its request is bytes. */
export type AnswerOf<Response> = Pick<MethodDefinition<unknown, Response>, "path" | "responseDeserialize">;

/** One unary call over a channel: its own listener, so that it costs one object. */
export class LinkCall<Response> implements InterceptingListener {
  #message: Buffer | null = null;
  #hasTooMany = false;

  constructor(
    private readonly inner: ChannelCall,
    private readonly method: AnswerOf<Response>,
    private readonly clock: Clock,
    private readonly startedAt: number,
    private readonly done: (result: LinkResult<Response>) => void,
  ) {}

  cancel(): void {
    this.inner.cancelWithStatus(Status.CANCELLED, "The call was cancelled by its caller");
  }

  onReceiveMetadata(): void {}

  onReceiveMessage(message: Buffer): void {
    this.#hasTooMany = this.#message !== null;
    this.#message ??= message;
    // A second message must not be left unread: the status stands behind it.
    this.inner.startRead();
  }

  onReceiveStatus(status: ReportedStatus): void {
    const ms = this.clock.now() - this.startedAt;
    this.done(status.code === Status.OK ? this.#answer(ms) : linkFailure(status, ms));
  }

  #answer(ms: number): LinkResult<Response> {
    if (this.#message === null) return this.#malformed("has no message", ms);
    if (this.#hasTooMany) return this.#malformed("has more than one message", ms);
    try {
      return { ok: true, response: this.method.responseDeserialize(this.#message), ms };
    } catch (error) {
      const { length } = this.#message;
      return this.#malformed(`of ${length} bytes cannot be decoded: ${saidBy(error)}`, ms);
    }
  }

  #malformed(what: string, ms: number): LinkResult<Response> {
    return localFailure("malformed", `${this.method.path}: the answer ${what}`, ms);
  }
}
