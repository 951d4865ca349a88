import fc from "fast-check";

/** An entry of `methodConfig` as gRPC's JSON has it. */
export interface Entry {
  readonly name: readonly { readonly service?: string; readonly method?: string }[];
  readonly timeout?: string;
  readonly waitForReady?: boolean;
  readonly maxRequestMessageBytes?: number;
  readonly maxResponseMessageBytes?: number;
  readonly retryPolicy?: { readonly maxAttempts: number };
  readonly hedgingPolicy?: { readonly maxAttempts: number };
}

interface ServiceConfigJson {
  readonly methodConfig?: readonly Entry[];
}

const nanoseconds = fc.oneof(fc.bigInt(1n, 10_000_000_000n), fc.bigInt(1n, 315_576_000_000_000_000_000n));
const duration = fc.oneof(
  nanoseconds.map((ns) => {
    const digits = String(ns).padStart(10, "0");
    return `${digits.slice(0, -9)}.${digits.slice(-9)}s`;
  }),
  fc.integer({ min: 1, max: 100_000 }).map((ms) => `${ms}ms`),
);
const code = fc.oneof(fc.integer({ min: 1, max: 16 }), fc.constantFrom("UNAVAILABLE", "aborted", "Internal"));
const maxAttempts = fc.integer({ min: 1, max: 9 });
const bytes = fc.integer({ min: 0, max: 2 ** 32 - 1 });
const positive = fc.double({ min: 1e-3, max: 1e3, noNaN: true });

const retryPolicy = fc.record({
  maxAttempts,
  initialBackoff: duration,
  maxBackoff: duration,
  backoffMultiplier: positive,
  retryableStatusCodes: fc.array(code, { minLength: 1, maxLength: 4 }),
});
const hedgingPolicy = fc.record(
  { maxAttempts, hedgingDelay: fc.oneof(duration, fc.constant("0s")), nonFatalStatusCodes: fc.array(code) },
  { requiredKeys: ["maxAttempts"] },
);
const settings = fc.record(
  {
    timeout: duration,
    waitForReady: fc.boolean(),
    maxRequestMessageBytes: bytes,
    maxResponseMessageBytes: bytes,
  },
  { requiredKeys: [] },
);
const policy = fc.oneof(
  fc.constant({}),
  retryPolicy.map((retryPolicy) => ({ retryPolicy })),
  hedgingPolicy.map((hedgingPolicy) => ({ hedgingPolicy })),
);
const name = fc.constantFrom(
  {},
  { service: "a.B" },
  { service: "a.B", method: "C" },
  { service: "a.B", method: "D" },
);

const span = fc.oneof(duration, fc.constant("0s"));
const count = fc.integer({ min: 0, max: 1_000 });
const percentage = fc.integer({ min: 0, max: 100 });
const some = <T extends Record<string, fc.Arbitrary<unknown>>>(fields: T) =>
  fc.record(fields, { requiredKeys: [] });

const algorithm = { enforcementPercentage: percentage, minimumHosts: count, requestVolume: count };
const outliers = some({
  interval: span,
  baseEjectionTime: span,
  maxEjectionTime: span,
  maxEjectionPercent: percentage,
  successRateEjection: some({ stdevFactor: count, ...algorithm }),
  failurePercentageEjection: some({ threshold: percentage, ...algorithm }),
});
const manyLeaf = fc.oneof(
  fc.constant({ round_robin: {} }),
  some({
    enableOobLoadReport: fc.boolean(),
    oobReportingPeriod: span,
    blackoutPeriod: span,
    weightExpirationPeriod: span,
    weightUpdatePeriod: span,
    errorUtilizationPenalty: positive,
    metricNamesForComputingUtilization: fc.subarray(["cpu_utilization", "x", "utilization.a.b"]),
  }).map((config) => ({ weighted_round_robin: config })),
  some({ choiceCount: fc.integer({ min: 2, max: 20 }) }).map((config) => ({
    least_request_experimental: config,
  })),
  some({
    minRingSize: fc.integer({ min: 1, max: 1_024 }),
    maxRingSize: fc.constantFrom(2_000, "8388608"),
    requestHashHeader: fc.constantFrom("", "x-user", "X-Shard"),
  }).map((config) => ({ ring_hash: config })),
);
const leaf = fc.oneof(
  manyLeaf,
  some({ shuffleAddressList: fc.boolean() }).map((config) => ({ pick_first: config })),
);
const within = (child: fc.Arbitrary<object>) => child.map((policy) => ({ childPolicy: [{ x: {} }, policy] }));
const subset = (child: fc.Arbitrary<object>) =>
  fc
    .tuple(fc.integer({ min: 1, max: 2_000_000 }), within(child))
    .map(([subsetSize, config]) => ({ random_subsetting: { subsetSize, ...config } }));
const ejecting = (child: fc.Arbitrary<object>) =>
  fc
    .tuple(outliers, within(child))
    .map(([own, config]) => ({ outlier_detection_experimental: { ...own, ...config } }));
const balancing = fc.oneof(
  leaf,
  subset(leaf),
  ejecting(manyLeaf),
  subset(ejecting(manyLeaf)),
  ejecting(subset(manyLeaf)),
);

/** Valid service configs of a service `a.B`. */
export const serviceConfigs: fc.Arbitrary<ServiceConfigJson> = fc.record(
  {
    methodConfig: fc
      .uniqueArray(name, { maxLength: 4 })
      .chain((names) =>
        fc.tuple(
          ...names.map((one) => fc.tuple(settings, policy).map(([a, b]) => ({ name: [one], ...a, ...b }))),
        ),
      ),
    retryThrottling: fc.record({ maxTokens: positive, tokenRatio: positive }),
    loadBalancingConfig: balancing.map((policy) => [{ x: {} }, policy, { round_robin: 5 }]),
    healthCheckConfig: some({ serviceName: fc.constantFrom("", "a.B", null) }),
    connectionScaling: some({ maxConnectionsPerSubchannel: fc.integer({ min: 0, max: 20 }) }),
  },
  { requiredKeys: [] },
);
