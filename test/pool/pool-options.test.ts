import { describe, expect, it } from "vitest";
import { isReason, parseOptions } from "../../src/core/index.js";
import { poolOptionsSchema } from "../../src/pool/pool-options.js";

function parse(input: object) {
  return parseOptions(poolOptionsSchema, input, "pool");
}

function problemsOf(input: object): string {
  try {
    parse(input);
  } catch (error) {
    if (isReason(error, "CONFIG_INVALID")) return error.details;
    throw error;
  }
  return "accepted";
}

it("the defaults are those of the design", () => {
  expect(parse({})).toEqual({
    loadBalancing: "round_robin",
    connectTimeoutMs: 10_000,
    reconnectBackoff: { initialMs: 1_000, multiplier: 1.6, maxMs: 5_000, jitterRatio: 0.2 },
    maxConnectedEndpoints: 100,
    maxStreamsPerConnection: 100,
    idleTimeoutMs: 1_800_000,
    drainMs: 30_000,
    suspicion: { checkTimeoutMs: 1_000, writeStallMs: 5_000 },
    keepalive: null,
    maxSendMessageBytes: 4_194_304,
    maxReceiveMessageBytes: 4_194_304,
    compression: "identity",
    flowControlWindowBytes: 1_048_576,
    channelOptions: {},
  });
});

describe("grpc-js options that Holdfast owns", () => {
  it.each([
    ["grpc.enable_retries", "retry"],
    ["grpc.service_config", "retry, methods and loadBalancing"],
    ["grpc.service_config_disable_resolution", "methods"],
    ["grpc.per_rpc_retry_buffer_size", "retry.perCallBufferBytes"],
    ["grpc.retry_buffer_size", "retry.perChannelBufferBytes"],
    ["grpc-node.retry_max_attempts_limit", "retry.maxAttemptsLimit"],
    ["grpc.use_local_subchannel_pool", "always set"],
    ["grpc.client_idle_timeout_ms", "idleTimeoutMs"],
    ["grpc.initial_reconnect_backoff_ms", "reconnectBackoff.initialMs"],
    ["grpc.min_reconnect_backoff_ms", "reconnectBackoff.initialMs"],
    ["grpc.max_reconnect_backoff_ms", "reconnectBackoff.maxMs"],
    ["grpc.keepalive_time_ms", "keepalive.timeMs"],
    ["grpc.keepalive_timeout_ms", "keepalive.timeoutMs"],
    ["grpc.keepalive_permit_without_calls", "keepalive.permitWithoutCalls"],
    ["grpc.max_send_message_length", "maxSendMessageBytes"],
    ["grpc.max_receive_message_length", "maxReceiveMessageBytes"],
    ["grpc-node.flow_control_window", "flowControlWindowBytes"],
    ["grpc.default_compression_algorithm", "use compression"],
    ["grpc.default_authority", "authority"],
    ["grpc.lb.ring_hash.ring_size_cap", "loadBalancing"],
  ])("%s is refused by name, with what to use instead", (key, instead) => {
    const details = problemsOf({ channelOptions: { [key]: 1 } });

    expect(details).toContain(`channelOptions.${key}: refused: `);
    expect(details).toContain(instead);
  });

  it("are all named at once", () => {
    const channelOptions = { "grpc.enable_retries": 1, "grpc.default_authority": "x", retries: 3 };

    expect(problemsOf({ channelOptions })).toContain("3 problems");
  });
});

it("other grpc-js options go through", () => {
  const channelOptions = { "grpc.primary_user_agent": "kv/1", "grpc-node.tls_enable_trace": 1 };

  expect(parse({ channelOptions }).channelOptions).toEqual(channelOptions);
});

it("a key that is no grpc-js option is refused", () => {
  expect(problemsOf({ channelOptions: { timeoutMs: 1 } })).toContain(
    "channelOptions.timeoutMs: is no grpc-js option",
  );
});

describe("D10: a compression", () => {
  it.each(["identity", "deflate", "gzip"])("is taken by the name %s", (compression) => {
    expect(parse({ compression }).compression).toBe(compression);
  });

  it.each([
    ["gzp", 'compression is "gzp": allowed: identity, deflate, gzip (did you mean gzip?)'],
    ["GZIP", 'compression is "GZIP": allowed: identity, deflate, gzip (did you mean gzip?)'],
    ["none", 'compression is "none": allowed: identity, deflate, gzip'],
    ["", 'compression is "": allowed: identity, deflate, gzip'],
    [2, "compression is 2: allowed: identity, deflate, gzip"],
    [null, "compression is null: allowed: identity, deflate, gzip"],
    [["gzip"], "compression: allowed: identity, deflate, gzip"],
  ])("that grpc-js does not know, %j, is refused with those it does", (compression, expected) => {
    expect(problemsOf({ compression })).toBe(`pool: 1 problem: ${expected}`);
  });
});

describe("keepalive", () => {
  it("below ten seconds is refused, because servers punish it", () => {
    expect(problemsOf({ keepalive: { timeMs: 9_999 } })).toContain("keepalive.timeMs");
  });

  it.each([{ timeMs: 10_000 }, { timeMs: 500, allowAggressiveKeepalive: true }])(
    "is accepted as %j",
    (keepalive) => {
      expect(parse({ keepalive }).keepalive).toMatchObject({
        ...keepalive,
        timeoutMs: 20_000,
        permitWithoutCalls: false,
      });
    },
  );
});

it.each([
  [{ connectTimeoutMs: 0 }, "connectTimeoutMs is 0; allowed: 1 or more"],
  [{ connectTimeoutMs: Number.NaN }, "connectTimeoutMs is NaN"],
  [{ drainMs: -1 }, "drainMs is -1; allowed: 0 or more"],
  [{ idleTimeoutMs: Number.POSITIVE_INFINITY }, "idleTimeoutMs is Infinity"],
  [{ maxConnectedEndpoints: 0 }, "maxConnectedEndpoints is 0; allowed: 1 or more"],
  [{ maxStreamsPerConnection: 1.5 }, "maxStreamsPerConnection is 1.5"],
  [{ reconnectBackoff: { multiplier: 0.5 } }, "reconnectBackoff.multiplier is 0.5; allowed: 1 or more"],
  [{ reconnectBackoff: { jitterRatio: 1.1 } }, "reconnectBackoff.jitterRatio is 1.1; allowed: 1 or less"],
  [{ suspicion: { checkTimeoutMs: 0 } }, "suspicion.checkTimeoutMs is 0; allowed: 1 or more"],
  [{ maxSendMessageBytes: -1 }, "maxSendMessageBytes is -1; allowed: 0 or more"],
  [{ flowControlWindowBytes: 1 }, "flowControlWindowBytes is 1; allowed: 65535 or more"],
  [{ loadBalancing: "grpclb" }, 'loadBalancing is "grpclb"; allowed: "round_robin", "pick_first"'],
])("%j is refused with key, value and what is allowed", (input, expected) => {
  expect(problemsOf(input)).toContain(expected);
});

it("null means no idle timeout, zero a drain that ends at once", () => {
  expect(parse({ idleTimeoutMs: null }).idleTimeoutMs).toBeNull();
  expect(parse({ drainMs: 0 }).drainMs).toBe(0);
});
