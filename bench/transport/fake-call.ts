import {
  type ChannelInterface,
  type InterceptingListener,
  Metadata,
  status as Status,
  type StatusObject,
} from "@grpc/grpc-js";

type Call = ReturnType<ChannelInterface["createCall"]>;
type MessageContext = Parameters<Call["sendMessageWithContext"]>[0];

/** Shared by all calls: a transport that allocates would hide what the layers above it cost. */
const HEADERS = new Metadata();
const OK: StatusObject = { code: Status.OK, details: "", metadata: new Metadata() };
const EMPTY = Buffer.alloc(0);

let lastCallNumber = 0;

/**
 * The least that a transport can do: it echoes the message one tick after the half-close. The write callback comes in
 * that same tick, because grpc-js pays a tick for it with or without anybody listening.
 */
export class FakeCall implements Call {
  #listener: InterceptingListener | null = null;
  #context: MessageContext | null = null;
  #message: Buffer = EMPTY;

  constructor(private readonly peer: string) {}

  start(_metadata: Metadata, listener: InterceptingListener): void {
    this.#listener = listener;
  }

  sendMessageWithContext(context: MessageContext, message: Buffer): void {
    this.#context = context;
    this.#message = message;
  }

  startRead(): void {}

  halfClose(): void {
    process.nextTick(answer, this);
  }

  /** For the shared `answer` below. */
  answer(): void {
    this.#context?.callback?.();
    const listener = this.#listener as InterceptingListener;
    listener.onReceiveMetadata(HEADERS);
    listener.onReceiveMessage(this.#message);
    listener.onReceiveStatus(OK);
  }

  cancelWithStatus(): void {
    throw new Error("the fake transport cannot cancel, because no call on it should need to");
  }

  setCredentials(): void {}

  getPeer(): string {
    return this.peer;
  }

  getAuthContext(): null {
    return null;
  }

  getCallNumber(): number {
    return ++lastCallNumber;
  }
}

/** A shared function, so that an answer costs no closure. */
function answer(call: FakeCall): void {
  call.answer();
}
