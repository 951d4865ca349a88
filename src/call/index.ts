export { type CallSettings, callOptions } from "./call-settings.js";
export { type ChannelOptions, channelOptionsSchema } from "./channel-options.js";
export type { ChannelStats, EndpointStats } from "./channel-stats.js";
export { ChannelView } from "./channel-view.js";
export { checkCredentials, checkOptions, checkTarget } from "./check-channel.js";
export { type ChannelCollaborators, createChannel, poolChannel, stubChannel } from "./create-channel.js";
export { ResilientChannel } from "./resilient-channel.js";
