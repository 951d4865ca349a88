import { type ChannelInterface, type Metadata, status as Status } from "@grpc/grpc-js";
import type { ReportedStatus } from "../../core/index.js";
import { saidBy } from "../../core/index.js";
import type { CallPlan } from "./call-plan.js";
import type { CallListener, OpenCall } from "./open-call.js";
import type { MethodDefinition } from "./stub-methods.js";

type Call = ReturnType<ChannelInterface["createCall"]>;
type MessageContext = Parameters<Call["sendMessageWithContext"]>[0];

/** For requests of which nobody waits to hear that they were sent. Never written to. */
const NO_CONTEXT: MessageContext = {};

/**
 * A call straight on our channel: what grpc-js's `Client` does, in its order, without an emitter, a stream and an
 * error per call. Our channel queues messages, which grpc-js's own does not.
 */
export class ChannelCall implements OpenCall {
  readonly #call: Call;
  readonly #definition: MethodDefinition;
  readonly #listener: CallListener;
  readonly #context: MessageContext;
  #isBroken = false;

  constructor(
    channel: Pick<ChannelInterface, "createCall">,
    definition: MethodDefinition,
    plan: CallPlan,
    listener: CallListener,
  ) {
    const { deadline, host, parent, propagate_flags, credentials } = plan.options;
    this.#definition = definition;
    this.#listener = listener;
    this.#context = definition.requestStream ? { callback: () => listener.onSent() } : NO_CONTEXT;
    this.#call = channel.createCall(
      definition.path,
      deadline ?? Number.POSITIVE_INFINITY,
      host,
      parent ?? null,
      propagate_flags,
    );
    if (credentials !== undefined) this.#call.setCredentials(credentials);
    this.#call.start(plan.metadata, this);
    if (!definition.responseStream) this.#call.startRead();
  }

  send(message: unknown): void {
    let bytes: Buffer;
    try {
      bytes = this.#definition.requestSerialize(message);
    } catch (cause) {
      const details = `Request message serialization failure: ${saidBy(cause)}`;
      return this.#break(details, "CONFIG_INVALID", cause);
    }
    this.#call.sendMessageWithContext(this.#context, bytes);
  }

  halfClose(): void {
    this.#call.halfClose();
  }

  read(): void {
    this.#call.startRead();
  }

  cancel(code: Status, details: string): void {
    this.#call.cancelWithStatus(code, details);
  }

  onReceiveMetadata(metadata: Metadata): void {
    this.#listener.onHeaders(metadata);
  }

  onReceiveMessage(message: Buffer): void {
    if (this.#isBroken) return;
    let decoded: unknown;
    try {
      decoded = this.#definition.responseDeserialize(message);
    } catch (cause) {
      return this.#break(`Response message parsing error: ${saidBy(cause)}`, "REMOTE", cause);
    }
    this.#listener.onMessage(decoded, message.length);
  }

  onReceiveStatus(status: ReportedStatus): void {
    this.#listener.onStatus(status);
  }

  #break(details: string, reason: "CONFIG_INVALID" | "REMOTE", cause: unknown): void {
    this.#isBroken = true;
    this.#listener.fail({ code: Status.INTERNAL, details, reason, cause });
    // Not left to the listener, which does not know this call yet when its one request is at fault.
    this.#call.cancelWithStatus(Status.INTERNAL, details);
  }
}
