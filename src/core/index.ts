export { onAbort } from "./abort.js";
export type { Clock, Timer, TimerOptions } from "./clock.js";
export { systemClock } from "./clock.js";
export type { GrpcDeadline } from "./deadline.js";
export { deadlineToEpochMs } from "./deadline.js";
export type { Endpoint, SocketAddress } from "./endpoint.js";
export { canonicalAddress, canonicalText, isLiteral, parseAddress } from "./endpoint.js";
export type { ResilienceErrorInit } from "./errors.js";
export { configInvalid, isReason, ResilienceError, reportedStatus, saidBy } from "./errors.js";
export type { BreakerStateWord, ChannelEvent, ConnectivityWord, EventListener } from "./events.js";
export { EventHub } from "./events.js";
export type { HostLookup } from "./host-lookup.js";
export type { CloseOptions } from "./lifecycle.js";
export { Closable, Drain, Subscription } from "./lifecycle.js";
export { methodNameSchema } from "./method-name.js";
export {
  describeIssues,
  durationMs,
  exceeds,
  type Fields,
  fieldsOf,
  isObject,
  isPem,
  nearestName,
  parseOptions,
  positiveMs,
  problemsError,
  suggest,
  VALUE_HIDDEN,
} from "./options.js";
export type {
  AttemptRecord,
  CommandIds,
  FailureReport,
  Outcome,
  Progress,
  ReportedStatus,
} from "./outcome.js";
export type { Random } from "./random.js";
export { systemRandom } from "./random.js";
export type { Origin, Processed, Reason } from "./reasons.js";
export { REASONS } from "./reasons.js";
export type {
  ChannelFactory,
  RpcChannel,
  RpcChannelOptions,
  RpcOptions,
  RpcStream,
  RpcStreamListener,
} from "./rpc-channel.js";
export {
  isFilePath,
  type ResolvedTlsOptions,
  type TlsFileOptions,
  type TlsOptions,
  tlsFileOptionsSchema,
  tlsOptionsSchema,
} from "./tls-options.js";
export { withinMs } from "./within.js";
