import { isIPv6 } from "node:net";
import {
  Channel,
  type ChannelCredentials,
  type ChannelInterface,
  type ChannelOptions,
  compressionAlgorithms,
} from "@grpc/grpc-js";
import type { Endpoint, SocketAddress } from "../core/index.js";
import { canonicalAddress, configInvalid, saidBy } from "../core/index.js";
import type { Compression } from "./compression.js";
import type { KeepalivePace } from "./keepalive-pace.js";
import type { ResolvedPoolOptions } from "./pool-options.js";

/** Long enough that grpc-js never acts by itself: idling is the pool's. Its timers take no more. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * Makes one inner channel to one literal address. Nothing connects before it is asked to. grpc-js fixes the
 * compression of requests here, for all calls of the channel.
 */
export type InnerChannelFactory = (
  endpoint: Endpoint,
  address: SocketAddress,
  credentials: ChannelCredentials,
  compression?: Compression,
) => ChannelInterface;

/** The only file that makes grpc-js channels. */
export function innerChannelFactory(
  options: ResolvedPoolOptions,
  pace: Pick<KeepalivePace, "timeMs"> | null = null,
): InnerChannelFactory {
  const shared = sharedOptions(options);
  return (endpoint, address, credentials, compression = options.compression) =>
    new Channel(innerTarget(endpoint, address), credentials, {
      ...shared,
      ...(pace === null ? {} : { "grpc.keepalive_time_ms": pace.timeMs }),
      ...(compression === "identity"
        ? {}
        : { "grpc.default_compression_algorithm": compressionAlgorithms[compression] }),
      ...namesOf(endpoint, address, options),
    });
}

/**
 * A channel to whatever grpc-js makes of a target: it resolves, picks, dials and idles by itself. Nothing connects before it
 * is asked to.
 * @throws ResilienceError `CONFIG_INVALID` when grpc-js makes nothing of it
 */
export function passthroughChannel(
  target: string,
  credentials: ChannelCredentials,
  options: ResolvedPoolOptions,
): ChannelInterface {
  const quoted = JSON.stringify(`passthrough:///${target}`);
  let channel: ChannelInterface;
  try {
    channel = new Channel(target, credentials, passthroughOptions(options));
  } catch (cause) {
    throw configInvalid(`${quoted}: grpc-js makes nothing of the target: ${saidBy(cause)}`, cause);
  }
  const scheme = unknownScheme(target, channel.getTarget());
  if (scheme === null) return channel;
  channel.close();
  const known = scheme === "xds" ? "call register() of the package @grpc/grpc-js-xds" : "register one";
  throw configInvalid(
    `${quoted}: grpc-js has no resolver of the scheme ${JSON.stringify(scheme)}; ${known} before the channel is made`,
  );
}

function passthroughOptions(options: ResolvedPoolOptions): ChannelOptions {
  const { authority, compression, idleTimeoutMs, reconnectBackoff } = options;
  return {
    ...sharedOptions(options),
    "grpc.client_idle_timeout_ms": Math.min(idleTimeoutMs ?? NEVER_MS, NEVER_MS),
    "grpc.initial_reconnect_backoff_ms": reconnectBackoff.initialMs,
    "grpc.max_reconnect_backoff_ms": reconnectBackoff.maxMs,
    ...(authority === undefined ? {} : { "grpc.default_authority": authority }),
    ...(compression === "identity"
      ? {}
      : { "grpc.default_compression_algorithm": compressionAlgorithms[compression] }),
  };
}

/** grpc-js takes a target whose scheme nobody has registered for the name of a host, which calls would be told of. */
function unknownScheme(target: string, understood: string): string | null {
  if (understood !== `dns:${target}` || isIPv6(target)) return null;
  return /^([A-Za-z][A-Za-z0-9+.-]*):(?!\d+$)/.exec(target)?.[1] ?? null;
}

function sharedOptions(options: ResolvedPoolOptions): ChannelOptions {
  const { keepalive } = options;
  return {
    "grpc.enable_channelz": 0,
    ...options.channelOptions,
    // One retry layer, ours. Without these grpc-js buffers every message and repeats refused streams on its own.
    "grpc.enable_retries": 0,
    "grpc.per_rpc_retry_buffer_size": 0,
    "grpc.service_config_disable_resolution": 1,
    // Equal channels would share one socket.
    "grpc.use_local_subchannel_pool": 1,
    "grpc.client_idle_timeout_ms": NEVER_MS,
    "grpc.max_send_message_length": options.maxSendMessageBytes,
    "grpc.max_receive_message_length": options.maxReceiveMessageBytes,
    "grpc-node.flow_control_window": options.flowControlWindowBytes,
    ...(keepalive === null
      ? {}
      : {
          "grpc.keepalive_time_ms": keepalive.timeMs,
          "grpc.keepalive_timeout_ms": keepalive.timeoutMs,
          "grpc.keepalive_permit_without_calls": keepalive.permitWithoutCalls ? 1 : 0,
        }),
  };
}

function innerTarget(endpoint: Endpoint, address: SocketAddress): string {
  const text = canonicalAddress(address);
  if (address.kind === "unix") return text;
  if (endpoint.isProxied === true) return `dns:${text}`;
  return text.startsWith("[") ? `ipv6:${text}` : `ipv4:${text}`;
}

/** An endpoint dialled by IP keeps the service's name, on the wire and against the certificate. */
function namesOf(endpoint: Endpoint, address: SocketAddress, options: ResolvedPoolOptions): ChannelOptions {
  const name = options.authority ?? endpoint.serverName;
  const proxy = { "grpc.enable_http_proxy": endpoint.isProxied === true ? 1 : 0 };
  if (name === undefined) return proxy;
  // A certificate names an IPv6 address without brackets.
  const host = name.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
  const tlsName =
    address.kind === "unix" || options.channelOptions["grpc.ssl_target_name_override"] !== undefined
      ? {}
      : { "grpc.ssl_target_name_override": host };
  return { ...proxy, "grpc.default_authority": name, ...tlsName };
}
