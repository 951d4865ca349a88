// For users: hardening stubs and making channels.
export type {
  CallSettings,
  ChannelCollaborators,
  ChannelOptions,
  ChannelStats,
  EndpointStats,
} from "./call/index.js";
export { type ChannelView, callOptions, createChannel, type ResilientChannel } from "./call/index.js";
export type {
  AttemptRecord,
  BreakerStateWord,
  ChannelEvent,
  Clock,
  CloseOptions,
  ConnectivityWord,
  Endpoint,
  EventListener,
  FailureReport,
  HostLookup,
  Origin,
  Processed,
  Random,
  Reason,
  Subscription,
  Timer,
  TimerOptions,
} from "./core/index.js";
export { isReason, REASONS, ResilienceError } from "./core/index.js";
export { type Hardened, type HardenOptions, harden, type StubClass, stubFor } from "./interceptors/index.js";
