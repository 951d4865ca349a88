import * as grpc from "@grpc/grpc-js";
import { type ChannelOptions, createChannel } from "holdfast";
import { describe, expect, it } from "vitest";
import { configErrorOf, problemCount } from "../support/config-error.js";

const TARGET = "static:///127.0.0.1:9";

function refusal(options: unknown) {
  return configErrorOf(() => createChannel(TARGET, options as ChannelOptions));
}

type Row = readonly [options: object, sentence: string];

const durations: readonly Row[] = [
  "timeoutMs",
  "attemptTimeoutMs",
  "connectTimeoutMs",
  "idleTimeoutMs",
  "drainMs",
  "retry.backoff.initialMs",
  "retry.backoff.maxMs",
  "breaker.openMs",
  "breaker.maxOpenMs",
  "reconnectBackoff.initialMs",
  "reconnectBackoff.maxMs",
  "suspicion.checkTimeoutMs",
  "suspicion.writeStallMs",
  "suspicion.verifyAfterIdleMs",
  "slowStartMs",
  "maxConnectionAgeMs",
  "breaker.sampling.durationMs",
  "breaker.slowCalls.slowerThanMs",
  "outlierEjection.intervalMs",
  "outlierEjection.baseEjectionMs",
  "outlierEjection.maxEjectionMs",
  "keepalive.timeMs",
  "discovery.minIntervalMs",
  "discovery.lookupTimeoutMs",
].flatMap((key): Row[] => [
  [nested(key, Number.NaN), `${key} is NaN; allowed: a value of type number`],
  [nested(key, -1), `${key} is -1; allowed: `],
  [nested(key, Number.POSITIVE_INFINITY), `${key} is Infinity; allowed: a value of type number`],
  [nested(key, "5s"), `${key} is "5s"; allowed: a value of type number`],
]);

const values: readonly Row[] = [
  [{ enabled: "yes" }, 'enabled is "yes"; allowed: a value of type boolean'],
  [{ insecure: "yes" }, 'insecure is "yes"; allowed: a value of type boolean'],
  [{ timeoutMs: 0 }, "timeoutMs is 0; allowed: 1 or more"],
  [{ waitForReady: 1 }, "waitForReady is 1; allowed: a value of type boolean"],
  [
    { loadBalancing: "round-robin" },
    'is "round-robin": is no load-balancing policy (did you mean round_robin?)',
  ],
  [{ maxEjectionPercent: 101 }, "maxEjectionPercent is 101; allowed: 100 or less"],
  [{ maxConnectedEndpoints: 0 }, "maxConnectedEndpoints is 0; allowed: 1 or more"],
  [{ maxStreamsPerConnection: 1.5 }, "maxStreamsPerConnection is 1.5; allowed: a value of type int"],
  [{ maxSendMessageBytes: -1 }, "maxSendMessageBytes is -1; allowed: 0 or more"],
  [{ maxReceiveMessageBytes: 2 ** 40 }, `is ${2 ** 40}; allowed: ${2 ** 31 - 1} or less`],
  [{ flowControlWindowBytes: 1 }, "flowControlWindowBytes is 1; allowed: 65535 or more"],
  [{ authority: "" }, 'authority is ""; allowed: a length of 1 or more'],
  [{ breaker: true }, "breaker is true; allowed: false, or a value of type object"],
  [{ breaker: { consecutiveFailures: 0 } }, "breaker.consecutiveFailures is 0; allowed: 1 or more"],
  [{ breaker: { probes: 0 } }, "breaker.probes is 0; allowed: 1 or more"],
  [{ breaker: { scope: "call" } }, 'breaker.scope is "call"; allowed: "endpoint", "method"'],
  [{ breaker: { probedBy: "me" } }, 'breaker.probedBy is "me"; allowed: "calls", "health"'],
  [{ breaker: { count: { threshold: 0 } } }, "breaker.count.threshold is 0; allowed: more than 0"],
  [{ breaker: { sampling: { minimumRps: 0 } } }, "breaker.sampling.minimumRps is 0; allowed: more than 0"],
  [
    { breaker: { slowCalls: {} } },
    "breaker.slowCalls.slowerThanMs is undefined; allowed: a value of type number",
  ],
  [{ outlierEjection: true }, "outlierEjection is true; allowed: a value of type object"],
  [
    { outlierEjection: { successRate: { enforcementPercent: 101 } } },
    "outlierEjection.successRate.enforcementPercent is 101; allowed: 100 or less",
  ],
  [{ health: { probe: "me" } }, 'health.probe is "me": allowed: a function'],
  [{ health: { serviceName: "", intervalMs: 999 } }, "health.intervalMs is 999; allowed: 1000 or more"],
  [{ retry: { maxAttempts: 0 } }, "retry.maxAttempts is 0; allowed: 1 or more"],
  [{ retry: { maxAttempts: 2.5 } }, "retry.maxAttempts is 2.5; allowed: a value of type int"],
  [{ retry: { maxAttemptsLimit: 21 } }, "retry.maxAttemptsLimit is 21; allowed: 20 or less"],
  [{ retry: { backoff: { kind: "cubic" } } }, 'retry.backoff.kind is "cubic"; allowed: "exponential"'],
  [{ retry: { retryableCodes: [] } }, "retry.retryableCodes is an empty array; allowed: 1 entry or more"],
  [{ retry: { retryableCodes: ["UNAVAILABL"] } }, "(did you mean UNAVAILABLE?)"],
  [{ retry: { retryableCodes: ["OK"] } }, '"OK" is no failure'],
  [{ retry: { throttle: { maxTokens: 0 } } }, "retry.throttle.maxTokens is 0; allowed: 0.001 or more"],
  [{ retry: { perCallBufferBytes: -1 } }, "retry.perCallBufferBytes is -1; allowed: 0 or more"],
  [{ reconnectBackoff: { jitterRatio: 2 } }, "reconnectBackoff.jitterRatio is 2; allowed: 1 or less"],
  [{ keepalive: {} }, "keepalive.timeMs is undefined; allowed: a value of type number"],
  [{ methods: { "/a.B/C": {} } }, 'methods./a.B/C: is no method name; write "package.Service/Method"'],
  [{ methods: { "a.B": { timeoutMs: -1 } } }, "methods.a.B.timeoutMs is -1; allowed: 1 or more"],
  [{ methods: { "a.B/C": { retry: { maxAttempts: 99 } } } }, "retry.maxAttempts is 99; allowed: 20 or less"],
];

const together: readonly Row[] = [
  [{ timeoutMs: 10, attemptTimeoutMs: 20 }, "attemptTimeoutMs is 20"],
  [{ attemptTimeoutMs: 30_001 }, "attemptTimeoutMs is 30001"],
  [{ retry: { maxAttempts: 6 } }, "maxAttempts is 6; allowed: 1 to maxAttemptsLimit (5)"],
  [{ breaker: { openMs: 5, maxOpenMs: 4 } }, "openMs is 5"],
  [
    { breaker: { count: {}, sampling: {} } },
    "breaker.count is given beside sampling; allowed: one of consecutiveFailures, count, sampling",
  ],
  [{ breaker: { consecutiveFailures: 5, count: {} } }, "breaker.consecutiveFailures is given beside count"],
  [
    { breaker: { count: { size: 10, minimumCalls: 11 } } },
    "breaker.count.minimumCalls is 11; allowed: 1 to size (10)",
  ],
  [
    { breaker: { slowCalls: { slowerThanMs: 5, size: 10, minimumCalls: 11 } } },
    "breaker.slowCalls.minimumCalls is 11; allowed: 1 to size (10)",
  ],
  [
    { breaker: { probedBy: "health" } },
    'breaker.probedBy is "health": needs the option health beside breaker',
  ],
  [{ outlierEjection: {} }, "outlierEjection: ejects nobody; give successRate, failurePercentage or both"],
  [
    { outlierEjection: { intervalMs: 5 } },
    "outlierEjection: ejects nobody; give successRate, failurePercentage",
  ],
  ...["pick_first", "ring_hash", "ring_hash_experimental", "consistent_hash"].map(
    (loadBalancing): Row => [
      { loadBalancing, slowStartMs: 1 },
      `slowStartMs is 1: means nothing under ${loadBalancing.replace("_experimental", "")}, which keeps to its endpoint`,
    ],
  ),
  [
    { loadBalancing: { policy: "weighted_round_robin", blackoutMs: 10_000 } },
    'loadBalancing.blackoutMs is 10000: needs source: "load_reports" beside it',
  ],
  [
    { loadBalancing: { policy: "weighted_round_robin", source: "endpoints", oobLoadReports: true } },
    'loadBalancing.oobLoadReports is true: needs source: "load_reports" beside it',
  ],
  [{ maxConnectionAgeMs: 999 }, "maxConnectionAgeMs is 999; allowed: 1000 or more"],
  [
    { health: { serviceName: "" }, loadBalancing: "pick_first" },
    "health: means nothing under pick_first (gRFC A17); use round_robin",
  ],
  [
    { health: { probe: () => true }, loadBalancing: { policy: "pick_first", shuffleAddressList: true } },
    "health: means nothing under pick_first",
  ],
  [{ health: {} }, 'health.serviceName: is missing; allowed: a name, "" for the server as a whole'],
  [{ health: { serviceName: "a", probe: () => true } }, 'health.serviceName is "a": stands beside probe'],
  [{ poolSize: 3, minConnections: 1 }, "poolSize is 3: stands beside minConnections or maxConnections"],
  [{ poolSize: 3, maxConnections: 5 }, "poolSize is 3: stands beside minConnections or maxConnections"],
  [{ minConnections: 5, maxConnections: 4 }, "minConnections is 5: allowed: 1 to maxConnections (4)"],
  [
    methods({ retry: { maxAttempts: 6 } }),
    "methods.a.B/C.retry.maxAttempts is 6: allowed: 1 to the channel's retry",
  ],
  [{ ...methods({ retry: { maxAttempts: 6 } }), retry: false }, "retry.maxAttemptsLimit (5)"],
  [{ ...methods({ retry: { maxAttempts: 3 } }), retry: { maxAttempts: 2, maxAttemptsLimit: 2 } }, "(2)"],
  [
    methods({ timeoutMs: 100, attemptTimeoutMs: 500 }),
    "methods.a.B/C.attemptTimeoutMs is 500: allowed: timeoutMs (100)",
  ],
  [methods({ attemptTimeoutMs: 30_001 }), "methods.a.B/C.attemptTimeoutMs is 30001"],
  [{ methods: { "a.B": { timeoutMs: 9 }, "a.B/C": { attemptTimeoutMs: 10 } } }, "timeoutMs (9) or less"],
  [{ keepalive: { timeMs: 5_000 } }, "keepalive.timeMs is 5000"],
  [{ insecure: true, credentials: grpc.credentials.createInsecure() }, "give one of them"],
];

const typos: readonly (readonly [options: object, key: string, meant: string])[] = [
  [{ timeoutMS: 5 }, "timeoutMS", "timeoutMs"],
  [{ loadbalancing: "pick_first" }, "loadbalancing", "loadBalancing"],
  [{ credentails: null }, "credentails", "credentials"],
  [{ retires: {} }, "retires", "retry"],
  [{ retry: { maxAtempts: 2 } }, "retry.maxAtempts", "maxAttempts"],
  [{ retry: { backoff: { initalMs: 2 } } }, "retry.backoff.initalMs", "initialMs"],
  [{ retry: { throttle: { maxToken: 2 } } }, "retry.throttle.maxToken", "maxTokens"],
  [{ breaker: { probe: 1 } }, "breaker.probe", "probes"],
  [{ reconnectBackoff: { initialMS: 1 } }, "reconnectBackoff.initialMS", "initialMs"],
  [{ keepalive: { timeMs: 20_000, timeouMs: 1 } }, "keepalive.timeouMs", "timeoutMs"],
  [{ suspicion: { checkTimeout: 1 } }, "suspicion.checkTimeout", "checkTimeoutMs"],
  [{ discovery: { minInterval: 1 } }, "discovery.minInterval", "minIntervalMs"],
  [{ breaker: { count: { sise: 1 } } }, "breaker.count.sise", "size"],
  [{ outlierEjection: { succesRate: {} } }, "outlierEjection.succesRate", "successRate"],
  [{ health: { serviceName: "", useWach: true } }, "health.useWach", "useWatch"],
  [{ maxConnection: 2 }, "maxConnection", "maxConnections"],
  [{ methods: { "a.B/C": { idempotant: true } } }, "methods.a.B/C.idempotant", "idempotent"],
];

/** grpc-js options that stack a second retry layer, share sockets, or say twice what an option of ours says. */
const secondLayers: readonly (readonly [key: string, value: string | number, instead: string])[] = [
  ["grpc.enable_retries", 1, "use retry"],
  ["grpc.service_config", "{}", "use retry, methods and loadBalancing"],
  ["grpc.per_rpc_retry_buffer_size", 1, "use retry.perCallBufferBytes"],
  ["grpc.retry_buffer_size", 1, "use retry.perChannelBufferBytes"],
  ["grpc-node.retry_max_attempts_limit", 5, "use retry.maxAttemptsLimit"],
  ["grpc.use_local_subchannel_pool", 0, "connections would be shared"],
  ["grpc.client_idle_timeout_ms", 1, "use idleTimeoutMs"],
  ["grpc.initial_reconnect_backoff_ms", 1, "use reconnectBackoff.initialMs"],
  ["grpc.keepalive_time_ms", 1, "use keepalive.timeMs"],
  ["grpc.max_send_message_length", 1, "use maxSendMessageBytes"],
  ["grpc.default_authority", "a", "use authority"],
  ["user-agent", "a", "they begin with grpc. or grpc-node."],
];

describe("one bad option gives one error that names key, value and what is allowed", () => {
  it.each([...durations, ...values, ...together])("%o", (options, sentence) => {
    const error = refusal({ insecure: true, ...options });

    expect(error).toMatchObject({ reason: "CONFIG_INVALID", code: grpc.status.INTERNAL, processed: "no" });
    expect(error.details).toContain(sentence);
    expect(problemCount(error)).toBe(1);
  });
});

it.each(typos)("names the nearest known key for the typo in %j", (options, key, meant) => {
  const error = refusal({ insecure: true, ...options });

  expect(error.details).toBe(`createChannel: 1 problem: ${key} is not a known key (did you mean ${meant}?)`);
});

it("lists the known keys when none is near", () => {
  const error = refusal({ insecure: true, suspicion: { xyzzy: 1 } });

  expect(error.details).toContain(
    "suspicion.xyzzy is not a known key (known: checkTimeoutMs, verifyAfterIdleMs, writeStallMs)",
  );
});

it.each(secondLayers)("refuses channelOptions %s and says what to use instead", (key, value, instead) => {
  const error = refusal({ insecure: true, channelOptions: { [key]: value } });

  expect(error.details).toContain(`channelOptions.${key}`);
  expect(error.details).toContain(instead);
  expect(problemCount(error)).toBe(1);
});

it.each([{}, { timeoutMs: 5 }, { credentials: undefined }])(
  "asks for credentials when %j has none",
  (options) => {
    const error = refusal(options);

    expect(error.details).toBe(
      "createChannel: 1 problem: credentials is missing; give tls, grpc-js ChannelCredentials, or insecure: true for plaintext",
    );
  },
);

it("tells what else is wrong beside credentials that are none", () => {
  expect(problemCount(refusal({ credentials: {}, timeoutMs: 5, attemptTimeoutMs: 6 }))).toBe(2);
});

it("refuses credentials that are none, without showing what they hold", () => {
  const error = refusal({ credentials: { token: "s3cret" } });

  expect(error.details).toContain("credentials: must be ChannelCredentials of @grpc/grpc-js");
  expect(error.details).not.toContain("s3cret");
});

it("tells whoever gives grpc-js's `credentials` itself to call one of its functions", () => {
  expect(refusal({ credentials: grpc.credentials }).details).toContain(
    "1 problem: credentials: must be ChannelCredentials; call a function of grpc-js's `credentials`: credentials.createSsl()",
  );
});

it.each([undefined, null, 5, "fast", []])("refuses %j in the place of options", (options) => {
  const error = refusal(options);

  expect(error.details).toMatch(/options is .*; allowed: a value of type object/);
});

it("names every problem of target and options in one error", () => {
  const options = { timeoutMs: Number.NaN, retry: { maxAtempts: 1 }, drainMs: -5 } as ChannelOptions;

  const error = configErrorOf(() => createChannel("static:///a:0,b", options));

  expect(problemCount(error)).toBe(6);
  for (const part of ["timeoutMs is NaN", "maxAtempts", "drainMs is -5", "credentials", '"a:0"', '"b"']) {
    expect(error.details).toContain(part);
  }
});

it.each([
  { timeoutMs: null, attemptTimeoutMs: null, idleTimeoutMs: null, keepalive: null },
  { breaker: false, retry: { throttle: false, maxAttempts: 20, maxAttemptsLimit: 20 } },
  { keepalive: { timeMs: 100, allowAggressiveKeepalive: true }, drainMs: 0, maxEjectionPercent: 0 },
  { methods: { "a.B": { idempotent: true }, "a.B/C": { retry: false, timeoutMs: null } } },
  { methods: { "a.B/C": { retry: { maxAttempts: 6 } } }, retry: { maxAttemptsLimit: 6 } },
  { methods: { "a.B/C": { timeoutMs: 40_000, attemptTimeoutMs: 35_000 }, "a.B": { attemptTimeoutMs: 400 } } },
  { methods: { "a.B/C": { timeoutMs: 100 }, "a.B": { timeoutMs: null, attemptTimeoutMs: 99_999 } } },
  { breaker: { probedBy: "health", sampling: {} }, health: { serviceName: "" } },
  { breaker: { probedBy: "health", count: {}, scope: "method" }, health: { probe: () => true } },
  { subsetting: { policy: "random_subsetting", subsetSize: 1_000 }, zone: "a", slowStartMs: 0 },
  { outlierEjection: { successRate: {} }, maxConnections: 10, minConnections: 10, separateStreams: true },
  { loadBalancing: "pick_first", slowStartMs: 0 },
  { loadBalancing: "least_request", slowStartMs: 1, maxConnectionAgeMs: 1_000 },
  { loadBalancing: { policy: "weighted_round_robin", source: "load_reports", blackoutMs: 10_000 } },
  { suspicion: { verifyAfterIdleMs: null }, maxConnectionAgeMs: null, connecting: "lazy" },
  { attemptTimeoutMs: 500, methods: { "a.B/C": { timeoutMs: 100 } } },
  { channelOptions: { "grpc.primary_user_agent": "me", "grpc-node.max_session_memory": 10 } },
] satisfies ChannelOptions[])("takes %j", async (options) => {
  const channel = createChannel(TARGET, { insecure: true, ...options });

  expect(channel.stats()).toMatchObject({ mode: "pool", state: "IDLE" });
  await channel.close();
});

/** `nested("a.b", 1)` is `{ a: { b: 1 } }`. */
function nested(path: string, value: unknown): object {
  return path.split(".").reduceRight<unknown>((inner, key) => ({ [key]: inner }), value) as object;
}

function methods(method: object): object {
  return { methods: { "a.B/C": method } };
}
