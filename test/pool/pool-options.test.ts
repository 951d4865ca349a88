import { describe, expect, it } from "vitest";
import { isReason, parseOptions } from "../../src/core/index.js";
import { connectionsOf, poolOptionsSchema } from "../../src/pool/pool-options.js";

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

function subset(fields: object): object {
  return { subsetting: { policy: "random_subsetting", ...fields } };
}

it("the defaults are those of the design", () => {
  expect(parse({})).toEqual({
    loadBalancing: { policy: "round_robin" },
    subsetting: null,
    zone: null,
    slowStartMs: 0,
    connecting: "lazy",
    separateStreams: false,
    maxConnectionAgeMs: null,
    maxCallsPerConnection: 500_000_000,
    connectTimeoutMs: 10_000,
    reconnectBackoff: { initialMs: 1_000, multiplier: 1.6, maxMs: 5_000, jitterRatio: 0.2 },
    maxConnectedEndpoints: 100,
    maxStreamsPerConnection: 100,
    idleTimeoutMs: 1_800_000,
    drainMs: 30_000,
    suspicion: { checkTimeoutMs: 1_000, verifyAfterIdleMs: 60_000, writeStallMs: 5_000 },
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
    ["grpc.lb.ring_hash.ring_size_cap", "use ringSizeCap of loadBalancing"],
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
    "is accepted as %j, with gRPC's defaults beside it (R64)",
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
  [{ zone: "" }, 'zone is ""; allowed: a length of 1 or more'],
  [{ slowStartMs: -1 }, "slowStartMs is -1; allowed: 0 or more"],
  [{ connecting: "now" }, 'connecting is "now"; allowed: "lazy", "eager"'],
  [{ poolSize: 0 }, "poolSize is 0; allowed: 1 or more"],
  [{ minConnections: 0 }, "minConnections is 0; allowed: 1 or more"],
  [{ maxConnections: 11 }, "maxConnections is 11; allowed: 10 or less"],
  [{ maxConnections: 1.5 }, "maxConnections is 1.5; allowed: a value of type int"],
  [{ separateStreams: "yes" }, 'separateStreams is "yes"; allowed: a value of type boolean'],
  [{ maxConnectionAgeMs: 0 }, "maxConnectionAgeMs is 0; allowed: 1000 or more"],
  [{ maxCallsPerConnection: 0 }, "maxCallsPerConnection is 0; allowed: 1 or more"],
  [{ maxCallsPerConnection: 2 ** 31 }, "maxCallsPerConnection is 2147483648; allowed: 1073741824 or less"],
  [{ suspicion: { verifyAfterIdleMs: 0 } }, "suspicion.verifyAfterIdleMs is 0; allowed: 1 or more"],
  [{ subsetting: 5 }, "subsetting is 5; allowed: a value of type object"],
  [subset({ subsetSize: 0 }), "subsetting.subsetSize is 0; allowed: 1 or more"],
  [
    subset({ subsetSize: 2, clientIndex: 1 }),
    "subsetting.clientIndex is not a known key (known: policy, subsetSize)",
  ],
  [
    subset({ policy: "deterministic_subsetting", subsetSize: 2 }),
    "subsetting.clientIndex is undefined; allowed: a value of type number",
  ],
])("%j is refused with key, value and what is allowed", (input, expected) => {
  expect(problemsOf(input)).toContain(expected);
});

describe("a load-balancing policy", () => {
  it.each([
    ["round_robin", { policy: "round_robin" }],
    ["least_pending", { policy: "least_request", choiceCount: 2 }],
    ["least_request_experimental", { policy: "least_request", choiceCount: 2 }],
    [{ policy: "least_latency" }, { policy: "least_latency" }],
    [
      { policy: "least_request", choiceCount: 5 },
      { policy: "least_request", choiceCount: 5 },
    ],
    [
      { policy: "pick_first", shuffleAddressList: true },
      { policy: "pick_first", shuffleAddressList: true },
    ],
    ["pick_first", { policy: "pick_first", shuffleAddressList: false }],
  ])("is taken by name, or as an object with its options: %j", (loadBalancing, expected) => {
    expect(parse({ loadBalancing }).loadBalancing).toEqual(expected);
  });

  it.each([
    [
      "round-robin",
      'loadBalancing is "round-robin": is no load-balancing policy (did you mean round_robin?)',
    ],
    [
      { policy: "ringhash" },
      'loadBalancing.policy is "ringhash": is no load-balancing policy (did you mean ring_hash?)',
    ],
    [
      "fastest",
      'loadBalancing is "fastest": is no load-balancing policy (known: round_robin, pick_first, random,',
    ],
    ["constructor", 'loadBalancing is "constructor": is no load-balancing policy (known: round_robin'],
    ["grpclb", 'loadBalancing is "grpclb": is a look-aside protocol that gRPC has given up; use round_robin'],
    ["xds", 'loadBalancing is "xds": is xDS; give the target as "passthrough:///xds:..."'],
    ["outlier_detection", "is no policy here; use outlierEjection beside loadBalancing"],
    ["random_subsetting_experimental", "is no policy here; use subsetting beside loadBalancing"],
    ["priority", "is no policy here; give endpoints a priority"],
    [5, "loadBalancing is 5: allowed: the name of a policy, or { policy, ...options }"],
    [null, "loadBalancing is null: allowed: the name of a policy"],
    [[], "loadBalancing: allowed: the name of a policy, or { policy, ...options }"],
    [{ choiceCount: 2 }, "loadBalancing: allowed: the name of a policy, or { policy, ...options }"],
    [{ policy: 5 }, "loadBalancing.policy is 5: allowed: the name of a policy"],
    [
      { policy: "least_request", choiceCoumt: 3 },
      "loadBalancing.choiceCoumt is 3: is no option of least_request (did you mean choiceCount?)",
    ],
    [
      { policy: "ring_hash", size: 3 },
      "loadBalancing.size is 3: is no option of ring_hash (known: minRingSize, maxRingSize, ringSizeCap,",
    ],
    [
      { policy: "round_robin", weight: 3 },
      "loadBalancing.weight is 3: is no option of round_robin, which has none",
    ],
    [{ policy: "least_request", choiceCount: 1 }, "loadBalancing.choiceCount is 1; allowed: 2 or more"],
    [
      { policy: "ring_hash", minRingSize: 9_000 },
      "loadBalancing.minRingSize is 9000: allowed: maxRingSize (4096)",
    ],
    [
      { policy: "weighted_round_robin", source: "dns" },
      'loadBalancing.source is "dns"; allowed: "endpoints"',
    ],
  ])(
    "that is none, or has options that are none, is refused with what would do: %j",
    (loadBalancing, expected) => {
      const details = problemsOf({ loadBalancing });

      expect(details).toContain("pool: 1 problem: ");
      expect(details).toContain(expected);
    },
  );

  it("is told all that is wrong with it at once", () => {
    expect(
      problemsOf({ loadBalancing: { policy: "ring_hash", ring: 1, rings: 2, maxRingSize: 0 } }),
    ).toContain("3 problems");
  });
});

describe("the connections to each endpoint", () => {
  it.each([
    [{}, { min: 1, max: 1 }],
    [{ poolSize: 5 }, { min: 5, max: 5 }],
    [{ maxConnections: 4 }, { min: 1, max: 4 }],
    [{ minConnections: 2 }, { min: 2, max: 2 }],
    [
      { minConnections: 2, maxConnections: 10 },
      { min: 2, max: 10 },
    ],
  ])("are as many as %j says", (options, expected) => {
    expect(connectionsOf(parse(options))).toEqual(expected);
  });
});

it("null means no idle timeout, zero a drain that ends at once", () => {
  expect(parse({ idleTimeoutMs: null }).idleTimeoutMs).toBeNull();
  expect(parse({ drainMs: 0 }).drainMs).toBe(0);
});
