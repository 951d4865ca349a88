import type { Difference } from "./door-differences.js";

/** What a channel of grpc-js's own cannot do. */
const POOL = { bare: "no", interceptors: "no", plainPromises: "no" } as const;

/** Of connections, of life and death, and of what is beside the calls. */
export const connectionDifferences = {
  pool: { what: "a pool: connections of its own to every endpoint", ...POOL },
  poolSize: { what: "several connections to an endpoint (`poolSize`)", ...POOL },
  tls: {
    what: "`tls`",
    ...POOL,
    note: "With `tls`, `harden(stub)` makes a pool and is the first door. A plain client has grpc-js's `credentials.createSsl`, which does not follow files that change.",
  },
  health: { what: "an endpoint that says it is not healthy gets no calls (`health`)", ...POOL },
  ready: {
    what: "`ready()`",
    interceptors: "no",
    plainPromises: "no",
    note: "A method of the channel, `getChannel()` of a stub. A plain client has grpc-js's `waitForReady`.",
  },
  breaker: { what: "circuit breaker", plainPromises: "no" },
  breakerPerEndpoint: {
    what: "one breaker per endpoint; calls go to another",
    ...POOL,
    note: "There is one for all of the stub's channel, and with interceptors one per interceptor or method.",
  },
  isolate: {
    what: "`isolate()` of an endpoint",
    bare: "limited",
    interceptors: "no",
    plainPromises: "no",
    note: "Without a pool there is one endpoint, the target as `endpoints()` names it: meanwhile all calls fail with `CIRCUIT_OPEN`.",
  },
  dialTimeout: {
    what: "a time limit for a dial (`connectTimeoutMs`)",
    ...POOL,
    note: "grpc-js has none: a server that accepts and is silent holds calls until their deadline.",
  },
  suspicion: { what: "a connection that is silent becomes suspect and is checked", ...POOL },
  closedWhileDialling: {
    what: "closing during a dial leaves no socket behind",
    ...POOL,
    note: "grpc-js forgets the socket of a channel that is closed while it dials.",
  },
  closing: {
    what: "`close()` lets calls finish that have not been sent yet",
    interceptors: "no",
    plainPromises: "no",
    note: "grpc-js ends them. It also calls a closed client's `waitForReady` back without an error.",
  },
  sharedChannel: {
    what: "`close()` of the stub leaves the channel open for others",
    harden: "no",
    override: "no",
    promises: "no",
    bare: "no",
    interceptors: "no",
    plainPromises: "no",
    note: "Right for a channel that no other stub uses; several stubs on one channel are what `stubFor` is for.",
  },
  stats: {
    what: "`stats()`, `endpoints()`, `onEvent()`",
    interceptors: "no",
    plainPromises: "no",
    note: "`hooksInterceptor`, `loggingInterceptor`, `onChange()` of the breaker and `stats()` of the concurrency limit tell what they see.",
  },
  mistypedMethod: {
    what: "a mistyped name in `methods` is refused",
    override: "no",
    interceptors: "no",
    plainPromises: "no",
    note: "Whoever does not see the class of the stub does not know its methods. `createChannel` with `descriptors` does.",
  },
  asyncContext: {
    what: "callbacks come in their caller's async context",
    interceptors: "no",
    note: "grpc-js itself calls back in the context of whoever opened the connection. Hooks and logs of the interceptors do come in the caller's; awaiting a promise restores it anyway.",
  },
  withoutClient: {
    what: "unary calls without the cost of grpc-js's `Client`",
    harden: "no",
    stubFor: "no",
    override: "no",
    bare: "no",
    interceptors: "no",
    plainPromises: "no",
    note: "Where the stub has no interceptors of its own; see [promises.md](promises.md).",
  },
} as const satisfies Record<string, Difference>;
