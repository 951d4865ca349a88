export { type Compression, compressionSchema } from "./compression.js";
export { isPlaintext } from "./dial-credentials.js";
export { type EndpointGate, openGate } from "./endpoint-gate.js";
export { EndpointPool } from "./endpoint-pool.js";
export {
  credentialsInvalid,
  guardCallCredentials,
  isEmptyCredentials,
  isPlainObject,
  nameOf,
  toMetadata,
} from "./guarded-credentials.js";
export { EndpointHealth } from "./health-endpoint.js";
export {
  type HealthOptions,
  type HealthProbe,
  healthDataSchema,
  healthOptionsSchema,
  type ResolvedHealthOptions,
} from "./health-options.js";
export type { InnerCall } from "./inner-call.js";
export { type InnerChannelFactory, innerChannelFactory, passthroughChannel } from "./inner-channel.js";
export { KeepalivePace } from "./keepalive-pace.js";
export { LoadReportStream } from "./load-report-stream.js";
export { LoadWeight } from "./load-weight.js";
export { obstructed, type PickFailure, pickFailure } from "./pick-failure.js";
export { PickQueue, type PickWaiter } from "./pick-queue.js";
export {
  type Candidate,
  type PickCall,
  type Picker,
  type PickerInput,
  type PickerPolicy,
  type PickFilter,
  pickFirst,
  roundRobin,
} from "./pickers/index.js";
export {
  type LoadBalancing,
  type PickerFactory,
  policyOf,
  registerPicker,
} from "./pickers/registry.js";
export {
  deterministicSubset,
  type ResolvedSubsettingOptions,
  randomSubset,
  subsettingOptionsSchema,
} from "./pickers/subsetting.js";
export type { PickResult, PoolDeps } from "./pool-deps.js";
export {
  connectionsInOrder,
  poolOptionsSchema,
  poolOptionsShape,
  type ResolvedPoolOptions,
} from "./pool-options.js";
export type { Readiness } from "./readiness.js";
export { isTrailersOnly } from "./server-status.js";
export type { Incident, Slot } from "./slot.js";
export {
  type LoadView,
  type MethodGates,
  type OutlierTally,
  Standing,
  type StandingParts,
} from "./standing.js";
export type { Subchannel } from "./subchannel.js";
export { type TlsProblem, tlsProblems } from "./tls-check.js";
export { TlsMaterial } from "./tls-material.js";
