import { fromServiceConfig } from "holdfast";
import { expect, it } from "vitest";
import { configErrorOf, problemCount } from "../support/config-error.js";

const RETRY = {
  maxAttempts: 4,
  initialBackoff: "0.1s",
  maxBackoff: "1s",
  backoffMultiplier: 2,
  retryableStatusCodes: ["UNAVAILABLE"],
};

function refusal(config: unknown, options?: unknown) {
  return configErrorOf(() => fromServiceConfig(config as object, options as object));
}

function entry(fields: object): object {
  return { methodConfig: [{ name: [{ service: "a.B" }], ...fields }] };
}

const retry = (fields: object) => entry({ retryPolicy: { ...RETRY, ...fields } });
const hedging = (fields: object) => entry({ hedgingPolicy: { maxAttempts: 2, ...fields } });
const names = (...name: unknown[]) => ({ methodConfig: [{ name }] });

const AT = "methodConfig.0";
const POLICY = `${AT}.retryPolicy`;
const HEDGES = `${AT}.hedgingPolicy`;
const DURATION = 'allowed: a duration such as "0.5s" or "500ms"';

it.each<[object, string]>([
  [entry({ retryPolicy: RETRY, hedgingPolicy: { maxAttempts: 2 } }), `${HEDGES}: stands beside retryPolicy`],
])("refuses a method that retries and hedges (R1): %j", (config, sentence) => {
  const error = refusal(config);

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(sentence);
});

it.each<[object, string]>([
  [retry({ maxAttempts: 0 }), `${POLICY}.maxAttempts is 0; allowed: 1 or more`],
  [retry({ maxAttempts: -1 }), `${POLICY}.maxAttempts is -1; allowed: 1 or more`],
  [retry({ maxAttempts: 2.5 }), `${POLICY}.maxAttempts is 2.5: allowed: a whole number`],
  [retry({ maxAttempts: "3" }), `${POLICY}.maxAttempts is "3"; allowed: a value of type number`],
  [hedging({ maxAttempts: 0 }), `${HEDGES}.maxAttempts is 0; allowed: 1 or more`],
])("refuses a number of attempts that is none (R2): %j", (config, sentence) => {
  const error = refusal(config);

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(sentence);
});

it.each<[object, string]>([
  [retry({ initialBackoff: "0s" }), `${POLICY}.initialBackoff is "0s": allowed: more than 0 s`],
  [retry({ maxBackoff: "0.000s" }), `${POLICY}.maxBackoff is "0.000s": allowed: more than 0 s`],
  [retry({ initialBackoff: "1" }), `${POLICY}.initialBackoff is "1": ${DURATION}`],
  [retry({ maxBackoff: undefined }), `${POLICY}.maxBackoff: missing`],
  [retry({ backoffMultiplier: 0 }), `${POLICY}.backoffMultiplier is 0; allowed: more than 0`],
  [retry({ backoffMultiplier: -1 }), `${POLICY}.backoffMultiplier is -1; allowed: more than 0`],
  [retry({ backoffMultiplier: null }), `${POLICY}.backoffMultiplier is null: missing`],
])("refuses waits that are none (R3, R4): %j", (config, sentence) => {
  const error = refusal(config);

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(sentence);
});

it.each<[object, string]>([
  [retry({ retryableStatusCodes: [] }), `${POLICY}.retryableStatusCodes is an empty array; allowed: 1 entry`],
  [
    retry({ retryableStatusCodes: ["UNAVAILABL"] }),
    '"UNAVAILABL" is not a gRPC status code (did you mean UNAVAIL',
  ],
  [retry({ retryableStatusCodes: [17] }), `${POLICY}.retryableStatusCodes.0: 17 is not a gRPC status code`],
  [
    retry({ retryableStatusCodes: "14" }),
    `${POLICY}.retryableStatusCodes is "14"; allowed: a value of type array`,
  ],
  [retry({ retryableStatusCodes: undefined }), `${POLICY}.retryableStatusCodes: missing`],
  [
    hedging({ nonFatalStatusCodes: ["nope"] }),
    `${HEDGES}.nonFatalStatusCodes.0: "nope" is not a gRPC status`,
  ],
  [
    hedging({ nonFatalStatusCodes: 14 }),
    `${HEDGES}.nonFatalStatusCodes is 14; allowed: a value of type array`,
  ],
  [hedging({ hedgingDelay: "-1s" }), `${HEDGES}.hedgingDelay is "-1s": ${DURATION}`],
])("refuses codes and delays that are none (R5, R6): %j", (config, sentence) => {
  const error = refusal(config);

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(sentence);
});

it.each<[object, string]>([
  [{ maxTokens: 0, tokenRatio: 1 }, "retryThrottling.maxTokens is 0; allowed: 0.001 or more"],
  [{ maxTokens: 1_001, tokenRatio: 1 }, "retryThrottling.maxTokens is 1001; allowed: 1000 or less"],
  [{ maxTokens: 10, tokenRatio: 0 }, "retryThrottling.tokenRatio is 0; allowed: 0.001 or more"],
  [{ maxTokens: 10, tokenRatio: 0.0009 }, "retryThrottling.tokenRatio is 0.0009; allowed: 0.001 or more"],
  [{ tokenRatio: 1 }, "retryThrottling.maxTokens is undefined; allowed: a value of type number"],
])("refuses a bucket that is none (R7): %j", (retryThrottling, sentence) => {
  const error = refusal({ retryThrottling });

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(sentence);
});

it.each<[object, string]>([
  [names({ method: "Get" }), `${AT}.name.0.service is missing beside method`],
  [names({ service: "/a.B" }), `${AT}.name.0.service is "/a.B"; allowed: a name such as package.Service`],
  [names({ service: "a.B", method: "C/D" }), `${AT}.name.0.method is "C/D"; allowed: a name such as GetUser`],
  [names({ service: 5 }), `${AT}.name.0.service is 5`],
  [names({ service: "a.B" }, { service: "a.B" }), `${AT}.name.1: a.B is named a second time`],
  [names({}, { service: "" }), `${AT}.name.1: the default is named a second time`],
  [
    { methodConfig: [{ name: [{ service: "a", method: "b" }] }, { name: [{ service: "a", method: "b" }] }] },
    "methodConfig.1.name.0: a/b is named a second time",
  ],
])("refuses names that say nothing, or the same twice (R153): %j", (config, sentence) => {
  const error = refusal(config);

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(sentence);
});

it.each([
  "5",
  "-1s",
  "+1s",
  "1e3s",
  "1.0000000001s",
  "1,5s",
  " 1s",
  "s",
  ".5s",
  "1.s",
  "1m",
  "315576000001s",
  "",
])("refuses the duration %j (R155)", (timeout) => {
  const error = refusal(entry({ timeout }));

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(`${AT}.timeout is "${timeout}": ${DURATION}`);
});

it("refuses a timeout of zero, which would fail every call", () => {
  expect(refusal(entry({ timeout: "0s" })).details).toContain("every call would fail at once");
});

it.each<[object, string]>([
  [entry({ waitForReady: "yes" }), `${AT}.waitForReady is "yes"; allowed: a value of type boolean`],
  [entry({ maxRequestMessageBytes: -1 }), `${AT}.maxRequestMessageBytes is -1; allowed: 0 or more`],
  [
    entry({ maxResponseMessageBytes: 2 ** 32 }),
    `${AT}.maxResponseMessageBytes is ${2 ** 32}; allowed: ${2 ** 32 - 1}`,
  ],
  [{ methodConfig: {} }, "methodConfig is an object; allowed: a value of type array"],
  [{ methodConfig: [7] }, "methodConfig.0 is 7; allowed: a value of type object"],
])(
  "refuses a field that is wrong, even where its entry names nothing (R156, R158): %j",
  (config, sentence) => {
    const error = refusal(config);

    expect(problemCount(error)).toBe(1);
    expect(error.details).toContain(sentence);
  },
);

it.each<[object, string]>([
  [
    { loadBalancingConfig: [{ xds: {} }] },
    "loadBalancingConfig: names no supported policy (xds); allowed: round_robin",
  ],
  [{ loadBalancingConfig: [] }, "loadBalancingConfig: names no supported policy (none)"],
  [{ loadBalancingConfig: [{ constructor: {} }] }, "names no supported policy (constructor)"],
  [
    { loadBalancingConfig: [{ round_robin: {}, pick_first: {} }] },
    "loadBalancingConfig.0: has 2 keys; allowed: one",
  ],
  [{ loadBalancingConfig: [{}] }, "loadBalancingConfig.0: has 0 keys; allowed: one"],
  [
    { loadBalancingConfig: [{ pick_first: 5 }, { round_robin: {} }] },
    "loadBalancingConfig.0.pick_first is 5",
  ],
  [
    { loadBalancingConfig: [{ pick_first: { shuffleAddressList: 1 } }] },
    "loadBalancingConfig.0.pick_first.shuffleAddressList is 1; allowed: a value of type boolean",
  ],
  [{ loadBalancingPolicy: 5 }, "loadBalancingPolicy is 5; allowed: a value of type string"],
  [{ loadBalancingPolicy: "grpclb" }, 'loadBalancingPolicy is "grpclb": allowed: round_robin, pick_first'],
  [
    { loadBalancingPolicy: "outlier_detection" },
    'loadBalancingPolicy is "outlier_detection": allowed: round_robin, pick_first, weighted_round_robin, least_request, ring_hash',
  ],
])("refuses load balancing that cannot be had (R157): %j", (config, sentence) => {
  const error = refusal(config);

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(sentence);
});

const balancing = (...loadBalancingConfig: object[]) => ({ loadBalancingConfig });
const LIST = "loadBalancingConfig.0";
const ROUND_ROBIN = { childPolicy: [{ round_robin: {} }] };

it.each<[object, string]>([
  [{ errorUtilizationPenalty: -0.1 }, "errorUtilizationPenalty is -0.1; allowed: 0 or more"],
  [{ errorUtilizationPenalty: "1" }, 'errorUtilizationPenalty is "1"; allowed: a value of type number'],
  [{ blackoutPeriod: "-1s" }, `blackoutPeriod is "-1s": ${DURATION}`],
  [{ oobReportingPeriod: 5 }, "oobReportingPeriod is 5; allowed: a value of type string"],
  [{ weightExpirationPeriod: "1h" }, `weightExpirationPeriod is "1h": ${DURATION}`],
  [{ weightUpdatePeriod: "" }, `weightUpdatePeriod is "": ${DURATION}`],
  [{ enableOobLoadReport: "yes" }, 'enableOobLoadReport is "yes"; allowed: a value of type boolean'],
  [
    { metricNamesForComputingUtilization: [5] },
    "metricNamesForComputingUtilization.0 is 5; allowed: a value of type string",
  ],
])("refuses a weighted_round_robin that is none (R118): %j", (config, sentence) => {
  const error = refusal(balancing({ weighted_round_robin: config }, ROUND_ROBIN.childPolicy[0]!));

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(`${LIST}.weighted_round_robin.${sentence}`);
});

it.each<[object, string]>([
  [{ choiceCount: 1 }, "choiceCount is 1; allowed: 2 or more"],
  [{ choiceCount: 2.5 }, "choiceCount is 2.5: allowed: a whole number"],
  [{ choiceCount: 2 ** 32 }, `choiceCount is ${2 ** 32}; allowed: ${2 ** 32 - 1} or less`],
])("refuses a least_request without a choice (R125): %j", (config, sentence) => {
  const error = refusal(balancing({ least_request_experimental: config }));

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(`${LIST}.least_request_experimental.${sentence}`);
});

it.each<[object, string, number?]>([
  [{ minRingSize: 0 }, "minRingSize is 0; allowed: 1 or more"],
  [{ maxRingSize: 8_388_609 }, "maxRingSize is 8388609; allowed: 8388608 or less"],
  [{ maxRingSize: "8388609" }, "maxRingSize is 8388609; allowed: 8388608 or less"],
  [{ minRingSize: "many" }, 'minRingSize is "many"; allowed: a value of type number'],
  [{ minRingSize: 20, maxRingSize: 10 }, "minRingSize is 20: allowed: maxRingSize (10) or less"],
  [{ minRingSize: 5_000 }, "minRingSize is 5000: allowed: maxRingSize (4096) or less"],
  [{ maxRingSize: 1_000 }, "maxRingSize is 1000: allowed: minRingSize (1024) or more"],
  [{ requestHashHeader: "x-key-bin" }, 'requestHashHeader is "x-key-bin": allowed: lower-case letters'],
  [{ requestHashHeader: "X Key" }, 'requestHashHeader is "X Key": allowed: lower-case letters'],
  [{ requestHashHeader: "-bin", minRingSize: 0 }, "minRingSize is 0", 2],
])("refuses a ring that is none (R127, R132): %j", (config, sentence, count = 1) => {
  const error = refusal(balancing({ ring_hash: config }));

  expect(problemCount(error)).toBe(count);
  expect(error.details).toContain(`${LIST}.ring_hash.${sentence}`);
});

it.each<[object, string, number?]>([
  [{ interval: "-1s" }, `interval is "-1s": ${DURATION}`],
  [{ baseEjectionTime: "-1s" }, `baseEjectionTime is "-1s": ${DURATION}`],
  [{ maxEjectionTime: "-1s" }, `maxEjectionTime is "-1s": ${DURATION}`],
  [{ maxEjectionPercent: 101 }, "maxEjectionPercent is 101; allowed: 100 or less"],
  [
    { successRateEjection: { enforcementPercentage: 101 } },
    "successRateEjection.enforcementPercentage is 101; allowed: 100 or less",
  ],
  [
    { failurePercentageEjection: { enforcementPercentage: 101, threshold: 101 } },
    "failurePercentageEjection.enforcementPercentage is 101; allowed: 100 or less",
    2,
  ],
  [{ successRateEjection: { stdevFactor: -1 } }, "successRateEjection.stdevFactor is -1; allowed: 0 or more"],
  [{ successRateEjection: true }, "successRateEjection is true; allowed: a value of type object"],
  [{ childPolicy: undefined }, "childPolicy is undefined; allowed: a value of type array"],
  [{ childPolicy: [] }, "childPolicy: names no supported policy (none)"],
  [{ childPolicy: [{ xds: {} }] }, "childPolicy: names no supported policy (xds)"],
  [
    { childPolicy: [{ least_request: { choiceCount: 0 } }, { round_robin: {} }] },
    "childPolicy.0.least_request.choiceCount is 0",
  ],
])("refuses an outlier_detection that is none (R90): %j", (config, sentence, count = 1) => {
  const error = refusal(balancing({ outlier_detection_experimental: { ...ROUND_ROBIN, ...config } }));

  expect(problemCount(error)).toBe(count);
  expect(error.details).toContain(`${LIST}.outlier_detection_experimental.${sentence}`);
});

const ONLY_FIRST = { childPolicy: [{ pick_first: {} }] };

it.each<[object, string]>([
  [{ outlier_detection: ONLY_FIRST }, "outlier_detection.childPolicy: ends in pick_first"],
  [
    { outlier_detection: { childPolicy: [{ random_subsetting: { subsetSize: 2, ...ONLY_FIRST } }] } },
    "outlier_detection.childPolicy: ends in pick_first",
  ],
])("refuses to eject where there is one endpoint (R102): %j", (policy, sentence) => {
  const error = refusal(balancing(policy, { round_robin: {} }));

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(`${LIST}.${sentence}`);
});

it.each<[object, string]>([
  [{ subsetSize: 0, ...ROUND_ROBIN }, "subsetSize is 0; allowed: 1 or more"],
  [{ subsetSize: -1, ...ROUND_ROBIN }, "subsetSize is -1; allowed: 1 or more"],
  [ROUND_ROBIN, "subsetSize is undefined; allowed: a value of type number"],
  [{ subsetSize: 2 }, "childPolicy is undefined; allowed: a value of type array"],
])("refuses a subset that is none (R135): %j", (config, sentence) => {
  const error = refusal(balancing({ random_subsetting: config }));

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(`${LIST}.random_subsetting.${sentence}`);
});

it.each([
  ["outlier_detection", {}],
  ["random_subsetting", { subsetSize: 2 }],
])("refuses %s within itself, where only one can be had", (name, fields) => {
  const inner = { [`${name}_experimental`]: { ...fields, ...ROUND_ROBIN } };

  const error = refusal(balancing({ [name]: { ...fields, childPolicy: [inner] } }));

  expect(error.details).toContain(`${LIST}.${name}.childPolicy: has ${name} again; allowed: once`);
});

it.each<[object, string]>([
  [
    { healthCheckConfig: { serviceName: 5 } },
    "healthCheckConfig.serviceName is 5; allowed: a value of type string",
  ],
  [{ healthCheckConfig: "a.B" }, 'healthCheckConfig is "a.B"; allowed: a value of type object'],
])("refuses a health service without a name (R80): %j", (config, sentence) => {
  const error = refusal(config);

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(sentence);
});

it.each<[unknown, string]>([
  [-1, "is -1; allowed: 0 or more"],
  [1.5, "is 1.5: allowed: a whole number"],
  ["two", 'is "two"; allowed: a value of type number'],
])("refuses %j connections (R76)", (maxConnectionsPerSubchannel, sentence) => {
  const error = refusal({ connectionScaling: { maxConnectionsPerSubchannel } });

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(`connectionScaling.maxConnectionsPerSubchannel ${sentence}`);
});

it.each<[unknown, string]>([
  ["", "the text is empty; allowed: a JSON object"],
  [" null ", "the text is empty; allowed: a JSON object"],
  ["{ methodConfig: [] }", "line 1, column 3: expected a key in double quotes"],
  ['{ "methodConfig": [], }', "is a comma too many before it?"],
  ['{ "a": 1, "a": 2 }', 'the key "a" is there already'],
  ["[]", "the service config is an array; allowed: a value of type object"],
  [5, "the service config is 5; allowed: a value of type object"],
  [undefined, "the service config is undefined; allowed: a value of type object"],
  [new Map(), "is an object of class Map; allowed: plain data"],
])("refuses what is no service config at all: %j", (config, sentence) => {
  const error = refusal(config);

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(sentence);
});

it("refuses a text longer than anybody's, before it costs time to read", () => {
  const error = refusal(`{"x":"${"y".repeat(2 ** 20)}"}`);

  expect(error.details).toContain("the text has 1048584 characters; allowed: 1048576 or less");
});

it("refuses a circle in an object", () => {
  const circle: Record<string, unknown> = {};
  circle["methodConfig"] = [circle];

  expect(refusal(circle).details).toContain("methodConfig.0 contains itself");
});

it.each<[unknown, string]>([
  [{ declareIdempotant: true }, "declareIdempotant is not a known key (did you mean declareIdempotent?)"],
  [{ declareIdempotent: "yes" }, 'declareIdempotent is "yes"; allowed: a value of type boolean'],
  [{ maxAttemptsLimit: 21 }, "maxAttemptsLimit is 21; allowed: 20 or less"],
  [{ maxAttemptsLimit: 1 }, "maxAttemptsLimit is 1; allowed: 2 or more"],
])("refuses options that are none: %j", (options, sentence) => {
  expect(refusal({}, options).details).toContain(sentence);
});

it("rejects the whole config in one error that lists every problem (R158)", () => {
  const error = refusal({
    loadBalancingPolicy: "x",
    methodConfig: [
      {
        name: [{ method: "Get" }, { service: "a.B" }],
        timeout: "5",
        retryPolicy: { maxAttempts: 2.5, initialBackoff: "0s", retryableStatusCodes: ["x"] },
        hedgingPolicy: { maxAttempts: 0.5 },
      },
      { name: [{ service: "a.B" }], maxRequestMessageBytes: 1.5 },
    ],
    retryThrottling: {},
  });

  // Load balancing 1, the first entry's name, timeout, attempts, three waits, code, hedges twice, both; then 2 and 2.
  expect(problemCount(error)).toBe(15);
  expect(error.details).toContain("methodConfig.1.name.0: a.B is named a second time");
});
