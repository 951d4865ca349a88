import type { Difference } from "./door-differences.js";

/** What a plain stub leaves to grpc-js. */
const PLAIN = { plainPromises: "no" } as const;
const NO_CHANNEL = { interceptors: "no", plainPromises: "no" } as const;
const PROMISES = { promises: "no", plainPromises: "no" } as const;

/** Of one call: its time, its repeats, its messages, what is told of it. */
export const callDifferences = {
  timeout: { what: "`timeoutMs` and `deadline` of a call" },
  defaultTimeout: { what: "a deadline for calls that bring none", ...PLAIN },
  expired: {
    what: "a call whose deadline has passed is never sent",
    note: "Bare grpc-js sends it when the connection is warm.",
  },
  parent: { what: "deadline and cancel of a parent call (`parent`)" },
  signal: { what: "`signal`" },
  attemptTimeout: { what: "a time limit for one attempt", ...PLAIN },
  streamTimeouts: {
    what: "`firstResponseTimeoutMs`, `streamIdleTimeoutMs`",
    ...NO_CHANNEL,
    note: "They are options of a channel of ours; no interceptor has them.",
  },
  waitForReady: {
    what: "`waitForReady` of a call",
    interceptors: "limited",
    plainPromises: "limited",
    note: "Over a plain client only `new Metadata({ waitForReady: true })` makes them wait; the setting of `callOptions` has no effect (`promises(plain)` refuses it).",
  },
  retry: { what: "retry", ...PLAIN },
  retryPerCall: { what: "`retry` of a call", ...PLAIN },
  lostStatus: {
    what: "retry when the connection is lost between the answer and its status",
    ...NO_CHANNEL,
    note: "A channel holds the single answer of an idempotent call back until its status. To interceptors response headers commit the call, as in gRFC A6.",
  },
  throttle: { what: "retry throttle", ...PLAIN },
  otherEndpoint: {
    what: "a call that a server refused goes to another endpoint",
    bare: "no",
    ...NO_CHANNEL,
    note: "grpc-js picks the connection, so a repeat may meet the same server.",
  },
  hedging: {
    what: "hedging",
    bare: "limited",
    interceptors: "limited",
    plainPromises: "no",
    note: "Without a pool the attempts of a call may all meet the same server. Interceptors need `hedgingInterceptor`.",
  },
  idempotentByConfiguration: { what: "`methods: { ...: { idempotent: true } }`", ...PLAIN },
  idempotentByDefinition: {
    what: "idempotent by the method's definition",
    override: "no",
    ...PLAIN,
    flavour: "proto-loader",
    note: "With `channelOverride` the channel never sees the class (`descriptors` or `methods` tell it). grpc-js shows interceptors a copy of the definition without its options: give them `service`.",
  },
  replayBuffer: {
    what: "what is kept for a retry is limited in bytes",
    interceptors: "limited",
    plainPromises: "no",
    note: "To interceptors messages are objects: their number is limited (`maxBufferedMessages`), and each attempt serialises them again.",
  },
  certainty: {
    what: "`processed` by evidence from the connection",
    interceptors: "limited",
    plainPromises: "limited",
    note: 'Over a plain client a failed connection is `"no"`, but whether a stream was opened cannot be seen: a call cancelled before it was sent is `"maybe"`.',
  },
  trailOnError: { what: "`attempts` of a call that failed", ...PLAIN },
  trailOnSuccess: {
    what: "`attempts` of a call that a retry saved",
    ...PLAIN,
    note: "On the status: of the `status` event, of `onStatus` of `promises()`.",
  },
  compression: {
    what: "`compression` of a call",
    bare: "no",
    ...NO_CHANNEL,
    note: "grpc-js fixes it per channel; a pool opens another connection. Elsewhere give the client `grpc.default_compression_algorithm`.",
  },
  hashKey: {
    what: "`hashKey` of a call",
    bare: "no",
    ...NO_CHANNEL,
    note: "It needs a policy that hashes (`ring_hash`, `consistent_hash`). Under others, and without a pool, it has no effect (`promises(plain)` refuses it).",
  },
  messageLimits: {
    what: "`maxSendMessageBytes`, `maxReceiveMessageBytes` of a call",
    ...NO_CHANNEL,
    note: "Over a plain client only grpc-js's `grpc.max_send_message_length` and `grpc.max_receive_message_length` hold.",
  },
  metadataLimit: { what: "metadata that would break the connection is refused", ...PLAIN },
  refreshedCredentials: {
    what: "credentials are fetched anew on UNAUTHENTICATED",
    ...PLAIN,
    note: "Channels by `refreshingCredentials`, plain clients by `authInterceptor`.",
  },
  callCredentials: { what: "`credentials` of a call" },
  ownInterceptors: { what: "interceptors of the stub run" },
  callInterceptors: {
    what: "`interceptors` of a call",
    ...PROMISES,
    note: "As in grpc-js they replace those of the client. Where ours are among these, such a call has none of them.",
  },
  peer: {
    what: "`getPeer()`",
    ...PROMISES,
    note: "`promises()` returns no call object; a failure's `attempts` name the endpoints.",
  },
} as const satisfies Record<string, Difference>;
