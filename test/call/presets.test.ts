import { describe, expect, it } from "vitest";
import {
  type ChannelOptions,
  channelOptionsSchema,
  checkOptions,
  createChannel,
} from "../../src/call/index.js";
import { configErrorOf, problemCount } from "../support/config-error.js";

const DEFAULTS = channelOptionsSchema.parse({ insecure: true });

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
      breaker: { consecutiveFailures: 5, openMs: 100, maxOpenMs: 250, probes: 1 },
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

describe("what the user sets beside a preset", () => {
  it("wins field by field, and the rest of its group stays the preset's", () => {
    const { reconnectBackoff, suspicion, connectTimeoutMs } = resolved({
      preset: "raft",
      reconnectBackoff: { maxMs: 100 },
      suspicion: { writeStallMs: 50 },
      connectTimeoutMs: 80,
    });

    expect(reconnectBackoff).toEqual({ initialMs: 50, multiplier: 1.6, maxMs: 100, jitterRatio: 0.2 });
    expect(suspicion).toEqual({ checkTimeoutMs: 100, writeStallMs: 50 });
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
    [{ attemptTimeoutMs: 100 }, { attemptTimeoutMs: 100 }],
    [{ timeoutMs: 100 }, { timeoutMs: 100 }],
  ])("is never refused for the preset's sake: %o", (options, expected) => {
    expect(resolved({ preset: "eraft", ...options })).toMatchObject(expected);
  });

  it("counts as not set when it is undefined", () => {
    const options = { preset: "raft", connectTimeoutMs: undefined, breaker: undefined } as ChannelOptions;

    expect(resolved(options)).toMatchObject({ connectTimeoutMs: 350, breaker: false });
  });
});

describe("bad input beside a preset", () => {
  it.each([
    ["rafft", 'preset is "rafft": is no preset (did you mean raft?)'],
    ["Raft", 'preset is "Raft": is no preset (did you mean raft?)'],
    ["__proto__", 'preset is "__proto__": is no preset (known: grpc, raft, eraft)'],
    [5, "preset is 5: is no preset; allowed: grpc, raft, eraft"],
    [null, "preset is null: is no preset; allowed: grpc, raft, eraft"],
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
