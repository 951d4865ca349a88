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
    loadBalancingConfig: fc.constantFrom([{ pick_first: {} }], [{ x: {} }, { round_robin: {} }]),
  },
  { requiredKeys: [] },
);
