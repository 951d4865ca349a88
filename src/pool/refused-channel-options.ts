import { z } from "zod";

/** grpc-js options that would stack a second retry layer, share sockets, or contradict an option of ours. */
const REFUSED: Readonly<Record<string, string>> = {
  "grpc.enable_retries": "retries are Holdfast's; use retry",
  "grpc.service_config": "its retry policy would multiply with ours; use retry, methods and loadBalancing",
  "grpc.service_config_disable_resolution": "always set; use methods",
  "grpc.per_rpc_retry_buffer_size": "use retry.perCallBufferBytes",
  "grpc.retry_buffer_size": "use retry.perChannelBufferBytes",
  "grpc-node.retry_max_attempts_limit": "use retry.maxAttemptsLimit",
  "grpc.use_local_subchannel_pool": "always set, or connections would be shared behind the pool's back",
  "grpc.client_idle_timeout_ms": "use idleTimeoutMs",
  "grpc.initial_reconnect_backoff_ms": "use reconnectBackoff.initialMs",
  "grpc.min_reconnect_backoff_ms": "use reconnectBackoff.initialMs",
  "grpc.max_reconnect_backoff_ms": "use reconnectBackoff.maxMs",
  "grpc.keepalive_time_ms": "use keepalive.timeMs",
  "grpc.keepalive_timeout_ms": "use keepalive.timeoutMs",
  "grpc.keepalive_permit_without_calls": "use keepalive.permitWithoutCalls",
  "grpc.max_send_message_length": "use maxSendMessageBytes",
  "grpc.max_receive_message_length": "use maxReceiveMessageBytes",
  "grpc-node.flow_control_window": "use flowControlWindowBytes",
  "grpc.default_compression_algorithm": "use compression",
  "grpc.default_authority": "use authority",
  "grpc.lb.ring_hash.ring_size_cap": 'use ringSizeCap of loadBalancing: { policy: "ring_hash", ringSizeCap }',
};

/** A key of grpc-js's channel options that Holdfast leaves to the user. */
export const innerOptionKeySchema = z.string().superRefine((key, context) => {
  const message = problemOf(key);
  if (message !== null) context.addIssue({ code: "custom", message });
});

function problemOf(key: string): string | null {
  const refused = REFUSED[key];
  if (refused !== undefined) return `refused: ${refused}`;
  return /^grpc(-node)?\./.test(key) ? null : "is no grpc-js option; they begin with grpc. or grpc-node.";
}
