import { describe, expect, it } from "vitest";
import {
  type ChannelOptions,
  channelOptionsSchema,
  checkOptions,
  createChannel,
} from "../../src/call/index.js";
import { Backoff } from "../../src/retry/index.js";
import { decide } from "../retry/situation.js";
import { configErrorOf, problemCount } from "../support/config-error.js";
import { fixedRandom } from "../support/seeded-random.js";

const DEFAULTS = channelOptionsSchema.parse({ insecure: true });
const BREAKER = DEFAULTS.breaker as object;

function resolved(options: ChannelOptions) {
  const { value, problems } = checkOptions({ insecure: true, ...options });
  if (value === null) throw new Error(problems.join("; "));
  return value;
}

describe("a preset", () => {
  it.each([{}, { preset: "grpc" as const }, { preset: undefined }])(
    "is the plain defaults for %o",
    (options) => {
      const { preset: _, ...others } = resolved(options as ChannelOptions);

      expect(others).toEqual(DEFAULTS);
    },
  );

  it("for documents repeats patiently on five codes, over five connections (E14, E16, E34, E42, E43, E45)", () => {
    expect(resolved({ preset: "documents" })).toEqual({
      ...DEFAULTS,
      preset: "documents",
      poolSize: 5,
      retry: {
        ...DEFAULTS.retry,
        maxAttempts: 3,
        backoff: { kind: "exponential", initialMs: 100, multiplier: 2, maxMs: 30_000, jitter: "additive10" },
        retryableCodes: [14, 4, 8, 10, 13],
      },
    });
  });

  it("for low latency hedges, and gives up early (E14)", () => {
    expect(resolved({ preset: "low-latency" })).toEqual({
      ...DEFAULTS,
      preset: "low-latency",
      timeoutMs: 1_000,
      hedging: { maxAttempts: 2, delayMs: "p95", initialDelayMs: 50, nonFatalCodes: [14] },
      retry: {
        ...DEFAULTS.retry,
        maxAttempts: 3,
        backoff: { kind: "exponential", initialMs: 10, multiplier: 2, maxMs: 100, jitter: "full" },
      },
      connectTimeoutMs: 1_000,
      reconnectBackoff: { initialMs: 100, multiplier: 1.6, maxMs: 1_000, jitterRatio: 0.2 },
      suspicion: { ...DEFAULTS.suspicion, checkTimeoutMs: 250, writeStallMs: 1_000 },
      breaker: { ...BREAKER, openMs: 1_000, maxOpenMs: 10_000 },
    });
  });

  it("for batches waits for servers that are down, and has no limit of an attempt (E14)", () => {
    expect(resolved({ preset: "batch" })).toEqual({
      ...DEFAULTS,
      preset: "batch",
      timeoutMs: 600_000,
      attemptTimeoutMs: null,
      waitForReady: true,
      retry: {
        ...DEFAULTS.retry,
        maxAttempts: 5,
        backoff: { kind: "exponential", initialMs: 1_000, multiplier: 2, maxMs: 30_000, jitter: "full" },
        retryableCodes: [14, 8],
      },
      keepalive: {
        timeMs: 330_000,
        timeoutMs: 20_000,
        permitWithoutCalls: false,
        allowAggressiveKeepalive: false,
      },
    });
  });

  it("for etcd outlasts an election, and repeats what only reads (E14)", () => {
    const read = { idempotent: true, retry: { retryableCodes: [14, 2] } };

    expect(resolved({ preset: "etcd" })).toEqual({
      ...DEFAULTS,
      preset: "etcd",
      timeoutMs: 10_000,
      retry: {
        ...DEFAULTS.retry,
        maxAttempts: 5,
        backoff: { kind: "exponential", initialMs: 200, multiplier: 2, maxMs: 1_000, jitter: "spread20" },
      },
      connectTimeoutMs: 2_000,
      reconnectBackoff: { initialMs: 100, multiplier: 1.6, maxMs: 2_000, jitterRatio: 0.2 },
      keepalive: {
        timeMs: 10_000,
        timeoutMs: 3_000,
        permitWithoutCalls: false,
        allowAggressiveKeepalive: false,
      },
      maxSendMessageBytes: 2 * 1024 * 1024,
      maxReceiveMessageBytes: 2 ** 31 - 1,
      methods: {
        "etcdserverpb.KV/Range": read,
        "etcdserverpb.Lease/LeaseTimeToLive": read,
        "etcdserverpb.Lease/LeaseLeases": read,
        "etcdserverpb.Cluster/MemberList": read,
        "etcdserverpb.Maintenance/Status": read,
      },
    });
  });

  it("for Raft peers dials quickly and leaves probing to Raft's heartbeats", () => {
    expect(resolved({ preset: "raft" })).toEqual({
      ...DEFAULTS,
      preset: "raft",
      reconnectBackoff: { initialMs: 50, multiplier: 1.6, maxMs: 200, jitterRatio: 0.2 },
      connectTimeoutMs: 350,
      suspicion: { ...DEFAULTS.suspicion, checkTimeoutMs: 100 },
      breaker: false,
      methods: { "raftpb.RaftService": { idempotent: true, retry: false } },
    });
  });

  it("for clients of a replicated KV service opens breakers for a quarter of a second at most", () => {
    expect(resolved({ preset: "eraft" })).toEqual({
      ...DEFAULTS,
      preset: "eraft",
      reconnectBackoff: { initialMs: 50, multiplier: 1.6, maxMs: 200, jitterRatio: 0.2 },
      connectTimeoutMs: 1_000,
      suspicion: { ...DEFAULTS.suspicion, checkTimeoutMs: 250 },
      breaker: { ...BREAKER, openMs: 100, maxOpenMs: 250 },
      keepalive: null,
      methods: {
        "kvraftpb.KVService": { retry: false },
        "kvraftpb.KVService/GetStatus": { idempotent: true, retry: false },
      },
    });
  });

  it("is never changed by the options of one channel", () => {
    const options: ChannelOptions = { preset: "eraft", breaker: { openMs: 900 }, methods: { "a.B": {} } };
    resolved(options);

    expect(resolved({ preset: "eraft" }).breaker).toMatchObject({ openMs: 100, maxOpenMs: 250 });
    expect(Object.keys(resolved({ preset: "eraft" }).methods)).toHaveLength(2);
    expect(options).toEqual({ preset: "eraft", breaker: { openMs: 900 }, methods: { "a.B": {} } });
  });
});

describe("the preset for documents", () => {
  const { backoff, retryableCodes } = resolved({ preset: "documents" }).retry;

  it.each([
    [0, [100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]],
    [0.5, [105, 210, 420, 840, 1_680, 3_360, 6_720, 13_440, 26_880, 30_000, 30_000]],
  ])(
    "waits up to a tenth more than twice as long each time, and never more than 30 s (E16, E45): at %d",
    (roll, waits) => {
      const clockwork = new Backoff(backoff, fixedRandom(roll));

      expect(waits.map((_, index) => Math.round(clockwork.delayMs(index + 1)))).toEqual(waits);
    },
  );

  it.each([14, 4, 8, 10, 13])("repeats code %i where it does no harm, and nowhere else (E43)", (code) => {
    const situation = { policy: { retryableCodes }, outcome: { code, processed: "maybe" as const } };

    expect(decide(situation).kind).toBe("retry");
    expect(decide({ ...situation, progress: { isIdempotent: false } }).kind).toBe("deliver");
  });
});

describe("what the user sets beside a preset", () => {
  it("wins field by field, and the rest of its group stays the preset's", () => {
    const { reconnectBackoff, suspicion, connectTimeoutMs } = resolved({
      preset: "raft",
      reconnectBackoff: { maxMs: 100 },
      suspicion: { writeStallMs: 50 },
      connectTimeoutMs: 80,
    });

    expect(reconnectBackoff).toEqual({ initialMs: 50, multiplier: 1.6, maxMs: 100, jitterRatio: 0.2 });
    expect(suspicion).toMatchObject({ checkTimeoutMs: 100, writeStallMs: 50 });
    expect(connectTimeoutMs).toBe(80);
  });

  it("wins for one method, field by field, and adds further methods", () => {
    const { methods } = resolved({
      preset: "raft",
      methods: { "raftpb.RaftService": { timeoutMs: 90 }, "a.B": { idempotent: true } },
    });

    expect(methods).toEqual({
      "raftpb.RaftService": { idempotent: true, retry: false, timeoutMs: 90 },
      "a.B": { idempotent: true },
    });
  });

  it("wins when it turns a group off, or on", () => {
    expect(resolved({ preset: "eraft", breaker: false }).breaker).toBe(false);
    expect(resolved({ preset: "raft", breaker: {} }).breaker).toEqual(DEFAULTS.breaker);
    expect(resolved({ preset: "eraft", keepalive: { timeMs: 20_000 } }).keepalive).toMatchObject({
      timeMs: 20_000,
    });
  });

  it.each([
    [{ reconnectBackoff: { maxMs: 20 } }, { reconnectBackoff: { initialMs: 20, maxMs: 20 } }],
    [{ reconnectBackoff: { initialMs: 500 } }, { reconnectBackoff: { initialMs: 500, maxMs: 500 } }],
    [{ breaker: { openMs: 1_000 } }, { breaker: { openMs: 1_000, maxOpenMs: 1_000 } }],
    [{ breaker: { maxOpenMs: 60 } }, { breaker: { openMs: 60, maxOpenMs: 60 } }],
    [
      { preset: "batch" as const, retry: { maxAttemptsLimit: 2 } },
      { retry: { maxAttempts: 2, maxAttemptsLimit: 2 } },
    ],
    [{ preset: "etcd" as const, retry: false as const }, { retry: { maxAttempts: 1 } }],
    [{ attemptTimeoutMs: 100 }, { attemptTimeoutMs: 100 }],
    [{ timeoutMs: 100 }, { timeoutMs: 100 }],
  ])("is never refused for the preset's sake: %o", (options, expected) => {
    expect(resolved({ preset: "eraft", ...options })).toMatchObject(expected);
  });

  it.each([
    [{ poolSize: 2 }, { poolSize: 2 }],
    [{ minConnections: 2 }, { minConnections: 2 }],
    [{ maxConnections: 3 }, { maxConnections: 3 }],
    [
      { minConnections: 1, maxConnections: 2 },
      { minConnections: 1, maxConnections: 2 },
    ],
  ])("says how many connections there are, either way: %o", (options, expected) => {
    const { poolSize, minConnections, maxConnections } = resolved({ preset: "documents", ...options });

    expect({ poolSize, minConnections, maxConnections }).toEqual(expected);
  });

  it.each([{ count: { size: 10 } }, { sampling: {} }, { consecutiveFailures: 2 }])(
    "may open breakers by another rule: %o",
    (rule) => {
      expect(resolved({ preset: "eraft", breaker: rule }).breaker).toMatchObject({ ...rule, openMs: 100 });
      expect(resolved({ preset: "low-latency", breaker: rule }).breaker).toMatchObject(rule);
    },
  );

  it("counts as not set when it is undefined", () => {
    const options = { preset: "raft", connectTimeoutMs: undefined, breaker: undefined } as ChannelOptions;

    expect(resolved(options)).toMatchObject({ connectTimeoutMs: 350, breaker: false });
  });
});

describe("bad input beside a preset", () => {
  it.each([
    ["rafft", 'preset is "rafft": is no preset (did you mean raft?)'],
    ["low_latency", 'preset is "low_latency": is no preset (did you mean low-latency?)'],
    ["Raft", 'preset is "Raft": is no preset (did you mean raft?)'],
    [
      "__proto__",
      'preset is "__proto__": is no preset (known: grpc, documents, low-latency, batch, etcd, raft, eraft)',
    ],
    [5, "preset is 5: is no preset; allowed: grpc, documents, low-latency, batch, etcd, raft, eraft"],
    [null, "preset is null: is no preset; allowed: grpc, documents, low-latency, batch, etcd, raft, eraft"],
  ])("is refused when the preset is %j", (preset, text) => {
    const options = { insecure: true, preset } as unknown as ChannelOptions;

    const error = configErrorOf(() => createChannel("static:///a:1", options));

    expect(problemCount(error)).toBe(1);
    expect(error.details).toContain(text);
  });

  it("is named in one error, in the user's own keys", () => {
    const options = {
      insecure: true,
      preset: "eraft",
      breaker: { openMs: "soon", opnMs: 5 },
      reconnectBackoff: { initialMs: 300, maxMs: 200 },
      suspicion: 7,
      methods: { "kvraftpb.KVService": { retri: false } },
    } as unknown as ChannelOptions;

    const error = configErrorOf(() => createChannel("static:///a:1", options));

    expect(error.details).toContain('breaker.openMs is "soon"');
    expect(error.details).toContain("breaker.opnMs is not a known key (did you mean openMs?)");
    expect(error.details).toContain("suspicion is 7");
    expect(error.details).toContain("methods.kvraftpb.KVService.retri is not a known key");
  });

  it("still has an order of its own: a user who sets both ends is told when they contradict", () => {
    const options: ChannelOptions = { insecure: true, preset: "eraft", breaker: { openMs: 9, maxOpenMs: 8 } };

    expect(configErrorOf(() => createChannel("static:///a:1", options)).details).toContain("openMs is 9");
  });
});
