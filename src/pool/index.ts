export { type Compression, compressionSchema } from "./compression.js";
export { isPlaintext } from "./dial-credentials.js";
export { EndpointPool } from "./endpoint-pool.js";
export {
  credentialsInvalid,
  guardCallCredentials,
  isPlainObject,
  nameOf,
  toMetadata,
} from "./guarded-credentials.js";
export { type InnerChannelFactory, innerChannelFactory } from "./inner-channel.js";
export { type PickFailure, pickFailure } from "./pick-failure.js";
export { PickQueue, type PickWaiter } from "./pick-queue.js";
export {
  type Candidate,
  PICKER_POLICIES,
  type Picker,
  type PickerPolicy,
  type PickFilter,
} from "./pickers/index.js";
export type { PickResult, PoolDeps } from "./pool-deps.js";
export { poolOptionsSchema, poolOptionsShape, type ResolvedPoolOptions } from "./pool-options.js";
export { isTrailersOnly } from "./server-status.js";
export { type EndpointGate, type Incident, type InnerCall, openGate, type Slot } from "./slot.js";
export type { Subchannel } from "./subchannel.js";
