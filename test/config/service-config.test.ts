import { createChannel, fromServiceConfig, type ServiceConfigOptions } from "holdfast";
import { afterEach, describe, expect, it, vi } from "vitest";
import { RetryThrottle } from "../../src/retry/index.js";

const RETRY = {
  maxAttempts: 4,
  initialBackoff: "0.1s",
  maxBackoff: "1s",
  backoffMultiplier: 2,
  retryableStatusCodes: ["UNAVAILABLE"],
};
const IMPORTED = {
  maxAttempts: 4,
  backoff: { kind: "exponential", initialMs: 100, multiplier: 2, maxMs: 1_000, jitter: "spread20" },
  retryableCodes: [14],
};
const HEDGING = { maxAttempts: 3, hedgingDelay: "0.05s", nonFatalStatusCodes: ["UNAVAILABLE", 8] };

const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
afterEach(() => {
  emitWarning.mockClear();
});

/** The options of the entry that names `a.B`. */
function imported(entry: object, options = {}): NonNullable<ServiceConfigOptions["methods"]>[string] {
  const config = { methodConfig: [{ name: [{ service: "a.B" }], ...entry }] };
  return fromServiceConfig(config, options).methods!["a.B"]!;
}

describe("a service config", () => {
  it("becomes options of a channel as gRPC's documents have it, text or object alike (R175)", async () => {
    const config = {
      loadBalancingConfig: [{ round_robin: {} }],
      methodConfig: [
        { name: [{ service: "kv.KV" }], timeout: "0.5s", waitForReady: true, retryPolicy: RETRY },
        { name: [{ service: "kv.KV", method: "Get" }, { service: "kv.Log" }], hedgingPolicy: HEDGING },
        { name: [{}], timeout: "1.25s", maxRequestMessageBytes: 0, maxResponseMessageBytes: 1_024 },
      ],
      retryThrottling: { maxTokens: 10, tokenRatio: 0.1 },
    };

    const options = fromServiceConfig(config);

    expect(fromServiceConfig(JSON.stringify(config))).toEqual(options);
    expect(options).toMatchSnapshot();
    const channel = createChannel("static:///a:1", { insecure: true, ...options });
    await channel.close();
  });

  it("that is empty changes nothing", () => {
    expect(fromServiceConfig("{}")).toEqual({});
  });

  it("may have fields that nobody knows (R158)", () => {
    const config = {
      methodConfig: [{ name: [{ service: "a.B", x: 1 }], y: 2, retryPolicy: { ...RETRY, z: 3 } }],
    };

    expect(fromServiceConfig({ ...config, w: [4] })).toEqual({ methods: { "a.B": { retry: IMPORTED } } });
  });

  it("is copied, so that changing it later changes nothing", () => {
    const codes = ["UNAVAILABLE"];
    const { retry } = imported({ retryPolicy: { ...RETRY, retryableStatusCodes: codes } });
    codes.push("INTERNAL");

    expect(retry).toEqual(IMPORTED);
  });

  it("says in one warning what could not be kept to the letter", () => {
    fromServiceConfig({
      healthCheckConfig: { serviceName: "a.B" },
      connectionScaling: { maxConnectionsPerSubchannel: 20 },
      loadBalancingConfig: [{ pick_first: {} }],
      methodConfig: [{ name: [{}], retryPolicy: { ...RETRY, maxAttempts: 9 } }],
    });

    expect(emitWarning).toHaveBeenCalledTimes(1);
    const [text, options] = emitWarning.mock.calls[0] as [string, unknown];
    expect(options).toEqual({ type: "HoldfastWarning", code: "HOLDFAST_SERVICE_CONFIG" });
    for (const key of ["healthCheckConfig", "connectionScaling", "retryPolicy.maxAttempts"])
      expect(text).toContain(key);
  });
});

describe("an entry of methodConfig", () => {
  it("makes no configured retries without a policy (R8)", () => {
    expect(imported({ timeout: "1s" })).toEqual({ timeoutMs: 1_000, maxTimeoutMs: 1_000, retry: false });
    expect(fromServiceConfig({ methodConfig: [{ name: [{}] }] })).toEqual({ retry: { maxAttempts: 1 } });
  });

  it("applies as a whole: nothing of a less exact one shows through (R154)", () => {
    const everything = {
      timeout: "9s",
      waitForReady: true,
      maxRequestMessageBytes: 7,
      maxResponseMessageBytes: 8,
    };
    const { methods } = fromServiceConfig(
      {
        methodConfig: [
          { name: [{ service: "a.B", method: "C" }] },
          { name: [{ service: "a.B" }], hedgingPolicy: HEDGING, ...everything },
        ],
      },
      { declareIdempotent: true },
    );

    expect(methods?.["a.B/C"]).toEqual({
      idempotent: false,
      timeoutMs: 30_000,
      maxTimeoutMs: null,
      waitForReady: false,
      retry: false,
      hedging: false,
      maxSendMessageBytes: 2 ** 31 - 1,
      maxReceiveMessageBytes: 2 ** 31 - 1,
    });
  });

  it("hides the default entry from what it names (R154)", () => {
    const options = fromServiceConfig({
      methodConfig: [
        { name: [{}], timeout: "9s", hedgingPolicy: HEDGING },
        { name: [{ service: "a.B" }], retryPolicy: RETRY },
      ],
    });

    expect(options).toMatchObject({
      timeoutMs: 9_000,
      hedging: { maxAttempts: 3 },
      retry: { maxAttempts: 1 },
    });
    expect(options.methods).toEqual({
      "a.B": { timeoutMs: 30_000, maxTimeoutMs: null, hedging: false, retry: IMPORTED },
    });
  });

  it.each([{}, { service: "" }, { service: null, method: null }, { service: "", method: "" }])(
    "is the default when its name is %j (R153)",
    (name) => {
      expect(fromServiceConfig({ methodConfig: [{ name: [name], timeout: "2s" }] }).timeoutMs).toBe(2_000);
    },
  );

  it.each([{ name: [] }, { name: null }, {}])("is skipped without a name: %j (R153)", (name) => {
    expect(fromServiceConfig({ methodConfig: [{ ...name, timeout: "2s" }] })).toEqual({});
  });

  it.each([
    ["0.5s", 500],
    ["1.25s", 1_250],
    ["0.1s", 100],
    ["3s", 3_000],
    ["1.000000001s", 1_000.000001],
    ["0.000000001s", 1],
    ["315576000000s", 315_576_000_000_000],
    ["100ms", 100],
    ["1.5ms", 1.5],
  ])("takes %j for %d ms (R155, C37)", (timeout, ms) => {
    expect(imported({ timeout }).timeoutMs).toBe(ms);
  });

  it("takes null for a field that is absent", () => {
    const entry = { timeout: null, waitForReady: null, retryPolicy: null, hedgingPolicy: null };

    expect(imported({ ...entry, maxRequestMessageBytes: null })).toEqual({ retry: false });
  });

  it("only lowers the limits of messages (R156)", () => {
    expect(imported({ maxRequestMessageBytes: 0, maxResponseMessageBytes: 2 ** 32 - 1 })).toMatchObject({
      maxSendMessageBytes: 0,
      maxReceiveMessageBytes: 2 ** 31 - 1,
    });
    const everywhere = { name: [{}], maxRequestMessageBytes: 2 ** 30, maxResponseMessageBytes: 9 };
    const options = fromServiceConfig({ methodConfig: [everywhere] });
    expect([options.maxSendMessageBytes, options.maxReceiveMessageBytes]).toEqual([undefined, 9]);
  });

  it("leaves out a default limit that a channel could only have for all methods, and says so", () => {
    const options = fromServiceConfig({
      methodConfig: [{ name: [{}], maxRequestMessageBytes: 9 }, { name: [{ service: "a.B" }] }],
    });

    expect(options).toEqual({ retry: { maxAttempts: 1 }, methods: { "a.B": { retry: false } } });
    expect(emitWarning.mock.calls[0]?.[0]).toContain(
      "the default's 9 bytes for maxSendMessageBytes are left out, since a.B may have more",
    );
  });

  it("keeps a default limit that every named entry undercuts", () => {
    const options = fromServiceConfig({
      methodConfig: [
        { name: [{}], maxRequestMessageBytes: 9 },
        { name: [{ service: "a.B" }], maxRequestMessageBytes: 9 },
      ],
    });

    expect([options.maxSendMessageBytes, emitWarning.mock.calls.length]).toEqual([9, 0]);
  });
});

describe("a retryPolicy", () => {
  it.each([
    [2, 2],
    [5, 5],
    [6, 5],
    [1_000_000, 5],
  ])("of %d attempts makes at most %d, and says when that is less (R2)", (maxAttempts, expected) => {
    const { retry } = imported({ retryPolicy: { ...RETRY, maxAttempts } });

    expect(retry).toEqual({ ...IMPORTED, maxAttempts: expected });
    const warnings = emitWarning.mock.calls.map(([text]) => String(text));
    expect(warnings).toEqual(
      maxAttempts === expected
        ? []
        : [
            `fromServiceConfig: methodConfig.0.retryPolicy.maxAttempts is ${maxAttempts} and counts as 5, the limit`,
          ],
    );
  });

  it("makes as many attempts as a client's own limit allows (R2)", async () => {
    const methodConfig = [{ name: [{ service: "a.B" }], retryPolicy: { ...RETRY, maxAttempts: 30 } }];

    const options = fromServiceConfig({ methodConfig }, { maxAttemptsLimit: 20 });

    expect(options.methods?.["a.B"]?.retry).toMatchObject({ maxAttempts: 20 });
    expect(options.retry).toEqual({ maxAttemptsLimit: 20 });
    await createChannel("static:///a:1", { insecure: true, ...options }).close();
  });

  it.each([{ maxAttempts: 1 }, { ...RETRY, maxAttempts: 1 }])(
    "is off with one attempt: %j (C37)",
    (policy) => {
      expect(imported({ retryPolicy: policy })).toEqual({ retry: false });
      expect(imported({ retryPolicy: policy, hedgingPolicy: HEDGING }).hedging).toBeDefined();
    },
  );

  it("may begin with a wait above its longest one, and shrink (R3, R4)", () => {
    const policy = { ...RETRY, initialBackoff: "2s", maxBackoff: "0.0005s", backoffMultiplier: 0.5 };

    expect(imported({ retryPolicy: policy }).retry).toMatchObject({
      backoff: { initialMs: 2_000, maxMs: 1, multiplier: 0.5 },
    });
  });

  it("takes codes as numbers and as names in any case (R5)", () => {
    const retryableStatusCodes = [14, "unavailable", "Resource_Exhausted"];

    expect(imported({ retryPolicy: { ...RETRY, retryableStatusCodes } }).retry).toMatchObject({
      retryableCodes: [14, 8],
    });
  });

  it("declares nothing idempotent, unless its owner's word is taken for it", () => {
    expect(imported({ retryPolicy: RETRY })).not.toHaveProperty("idempotent");
    expect(imported({ retryPolicy: RETRY }, { declareIdempotent: true }).idempotent).toBe(true);
    expect(imported({ hedgingPolicy: HEDGING }, { declareIdempotent: true }).idempotent).toBe(true);
    expect(imported({ timeout: "1s" }, { declareIdempotent: true })).not.toHaveProperty("idempotent");
  });

  it("for every method declares none of them idempotent, and says so", async () => {
    const methodConfig = [{ name: [{}], retryPolicy: RETRY }];

    const options = fromServiceConfig({ methodConfig }, { declareIdempotent: true });

    expect(options).toEqual({ retry: IMPORTED });
    expect(emitWarning.mock.calls[0]?.[0]).toContain("declares none of them idempotent");
    await createChannel("static:///a:1", { insecure: true, ...options }).close();
  });
});

describe("a hedgingPolicy", () => {
  it("becomes hedging, and there is no retry beside it (R1)", () => {
    expect(imported({ hedgingPolicy: HEDGING })).toEqual({
      retry: false,
      hedging: { maxAttempts: 3, delayMs: 50, nonFatalCodes: [14, 8] },
    });
  });

  it.each([{ maxAttempts: 3 }, { maxAttempts: 3, hedgingDelay: "0s", nonFatalStatusCodes: [] }])(
    "sends all attempts at once, and knows no harmless failure: %j (R6)",
    (hedgingPolicy) => {
      expect(imported({ hedgingPolicy }).hedging).toEqual({ maxAttempts: 3, delayMs: 0, nonFatalCodes: [] });
    },
  );

  it("makes at most five attempts, and is off with one (R6)", () => {
    expect(imported({ hedgingPolicy: { maxAttempts: 6 } }).hedging).toMatchObject({ maxAttempts: 5 });
    expect(imported({ hedgingPolicy: { maxAttempts: 1 } })).toEqual({ retry: false });
    expect(emitWarning).toHaveBeenCalledTimes(1);
  });
});

describe("retryThrottling", () => {
  it("drops what is past the third decimal of a ratio (R7)", () => {
    const { retry } = fromServiceConfig({ retryThrottling: { maxTokens: 2.5, tokenRatio: 0.5466 } });
    const bucket = new RetryThrottle(
      (retry as { throttle: ConstructorParameters<typeof RetryThrottle>[0] }).throttle,
    );

    bucket.recordFailure();
    bucket.recordSuccess();

    expect(bucket.tokens).toBe(2.046);
  });

  it("stands beside the policy of the default entry", () => {
    const retryThrottling = { maxTokens: 1_000, tokenRatio: 0.001 };

    const options = fromServiceConfig({
      retryThrottling,
      methodConfig: [{ name: [{}], retryPolicy: RETRY }],
    });

    expect(options.retry).toEqual({ ...IMPORTED, throttle: retryThrottling });
  });
});
