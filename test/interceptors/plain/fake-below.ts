import * as grpc from "@grpc/grpc-js";

type CallBelow = ReturnType<grpc.NextCall>;
type Listener = NonNullable<Parameters<CallBelow["start"]>[1]>;
type MessageContext = Parameters<CallBelow["sendMessageWithContext"]>[0];

/** A call as grpc-js would hand it out, answered by the test. */
export class FakeBelow implements CallBelow {
  metadata = new grpc.Metadata();
  readonly sent: unknown[] = [];
  /** What happened, in order: messages and the half-close. */
  readonly order: string[] = [];
  reads = 0;
  cancelledWith: { readonly code: number; readonly details: string } | null = null;
  #listener: Listener = {};
  readonly #unwritten: MessageContext[] = [];

  constructor(
    readonly options: grpc.InterceptorOptions,
    private readonly holdsWrites: boolean,
  ) {}

  start(metadata: grpc.Metadata, listener: Listener = {}): void {
    this.metadata = metadata;
    this.#listener = listener;
  }

  sendMessage(message: unknown): void {
    this.sendMessageWithContext({}, message);
  }

  sendMessageWithContext(context: MessageContext, message: unknown): void {
    this.sent.push(message);
    this.order.push(String(message));
    this.#unwritten.push(context);
    if (!this.holdsWrites) this.written();
  }

  halfClose(): void {
    this.order.push("half-close");
  }

  startRead(): void {
    this.reads++;
  }

  cancelWithStatus(code: grpc.status, details: string): void {
    this.cancelledWith ??= { code, details };
    process.nextTick(() => this.end(code, details));
  }

  getPeer(): string {
    return "10.0.0.1:50051";
  }

  getAuthContext(): null {
    return null;
  }

  /** Calls back for all that was sent. */
  written(): void {
    for (const context of this.#unwritten.splice(0)) context.callback?.();
  }

  headers(metadata = new grpc.Metadata()): void {
    this.#listener.onReceiveMetadata?.(metadata);
  }

  answer(message: unknown): void {
    this.#listener.onReceiveMessage?.(message);
  }

  end(code: grpc.status, details = "", extra: object = {}): void {
    this.#listener.onReceiveStatus?.({ code, details, metadata: new grpc.Metadata(), ...extra });
  }
}

/** Everything beneath an interceptor. */
export class FakeTransport {
  readonly calls: FakeBelow[] = [];
  holdsWrites = false;
  /** Thrown instead of making a call. */
  error: Error | null = null;
  readonly nextCall: grpc.NextCall = (options) => {
    if (this.error !== null) throw this.error;
    const call = new FakeBelow(options, this.holdsWrites);
    this.calls.push(call);
    return call;
  };

  get last(): FakeBelow {
    const call = this.calls.at(-1);
    if (call === undefined) throw new Error("no call was made");
    return call;
  }
}

/** What the caller was told. */
export interface Told {
  readonly headers: grpc.Metadata[];
  readonly messages: unknown[];
  readonly statuses: (grpc.StatusObject & Record<string, unknown>)[];
}

export interface StartArgs {
  readonly method?: string;
  readonly requestStream?: boolean;
  readonly responseStream?: boolean;
  readonly metadata?: grpc.Metadata;
  readonly options?: grpc.CallOptions;
}

/** Starts a call through an interceptor, as grpc-js's client would. */
export function startThrough(
  interceptor: grpc.Interceptor,
  transport: FakeTransport,
  args: StartArgs = {},
): { readonly call: grpc.InterceptingCall; readonly told: Told } {
  const { method = "/test.Service/Method", requestStream = false, responseStream = false } = args;
  const told: Told = { headers: [], messages: [], statuses: [] };
  const definition = {
    path: method,
    requestStream,
    responseStream,
    requestSerialize: () => Buffer.alloc(0),
    responseDeserialize: () => ({}),
  };
  const call = interceptor({ ...args.options, method_definition: definition }, transport.nextCall);
  call.start(args.metadata ?? new grpc.Metadata(), {
    onReceiveMetadata: (metadata) => void told.headers.push(metadata),
    onReceiveMessage: (message) => void told.messages.push(message),
    onReceiveStatus: (status) => void told.statuses.push(status as Told["statuses"][number]),
  });
  return { call, told };
}

/** A unary call with its request sent. */
export function unaryThrough(
  interceptor: grpc.Interceptor,
  transport: FakeTransport,
  args: StartArgs = {},
): ReturnType<typeof startThrough> {
  const started = startThrough(interceptor, transport, args);
  started.call.sendMessage("request");
  started.call.halfClose();
  return started;
}
