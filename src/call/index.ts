export { AttemptTrail } from "./attempt-trail.js";
export type { ReadyOptions } from "./await-ready.js";
export { type CallSettings, callOptions, SettingsDeadline, settingsOf } from "./call-settings.js";
export { type ChannelOptions, channelOptionsSchema, type PresetName } from "./channel-options.js";
export { type ChannelStats, type EndpointStats, unseenEndpoint } from "./channel-stats.js";
export { ChannelView } from "./channel-view.js";
export { checkCredentials, checkOptions, checkTarget } from "./check-channel.js";
export { metadataProblem } from "./check-metadata.js";
export { classify, type Evidence } from "./classify.js";
export {
  type ChannelCollaborators,
  createChannel,
  poolChannel,
  resolverDeps,
  stubChannel,
} from "./create-channel.js";
export type { FetchCredentials } from "./credentials-fetcher.js";
export type { FailureCount } from "./failure-counts.js";
export { registerWithGrpcJs } from "./grpc-js-resolvers.js";
export { methodNames, unknownMethods, warnOfIdleHedging } from "./method-names.js";
export { deadlineInBackoff } from "./own-outcomes.js";
export { passthroughProblems } from "./passthrough-options.js";
export { withPreset } from "./presets.js";
export {
  type RefreshingCredentials,
  type RefreshingCredentialsOptions,
  refreshingCredentials,
} from "./refreshing-credentials.js";
export { registerService } from "./register-service.js";
export { ResilientChannel } from "./resilient-channel.js";
export { KnownMethods } from "./rpc-kind.js";
export { watchEndpoints } from "./watch-endpoints.js";
