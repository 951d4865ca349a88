import { createClerk, createRaftPeer, createRaftPeers } from "holdfast";
import { describe, expect, it } from "vitest";
import { Holdfast } from "../../src/holdfast.js";
import { configErrorOf, problemCount } from "../support/config-error.js";

const insecure = true;
const servers = ["127.0.0.1:1"];
const addresses = ["127.0.0.1:1", "127.0.0.1:2"];

const clerks: Readonly<Record<string, (options: object) => unknown>> = {
  createClerk: (options) => createClerk({ insecure, ...options }),
  "the file": (options) => Holdfast.fromObject({ clerks: { kv: { insecure, ...options } } }),
};
const peers: Readonly<Record<string, (options: object) => unknown>> = {
  createRaftPeer: (options) => createRaftPeer("127.0.0.1:1", { insecure, ...options }),
  createRaftPeers: (options) => createRaftPeers(addresses, 0, { insecure, ...options }),
  "the file": (options) => Holdfast.fromObject({ raftPeers: { kv: { addresses, insecure, ...options } } }),
};

describe.each(Object.keys(clerks))(
  "the channel below a Clerk, by %s, refuses what would do nothing there",
  (by) => {
    it.each<[string, object, string]>([
      [
        "a preset",
        { preset: "grpc" },
        'preset is "grpc": not taken below a Clerk, whose preset is always eraft',
      ],
      ["its own preset, too", { preset: "eraft" }, 'preset is "eraft": not taken below a Clerk'],
      [
        "a timeout",
        { timeoutMs: 1 },
        "timeoutMs is 1: has no effect below a Clerk; set the Clerk's own timeoutMs",
      ],
      ["no timeout", { timeoutMs: null }, "timeoutMs is null: has no effect below a Clerk"],
      ["an attempt's timeout", { attemptTimeoutMs: 1 }, "attemptTimeoutMs is 1: has no effect below a Clerk"],
      ["a second retry layer", { retry: { maxAttempts: 99 } }, "retry: has no effect below a Clerk"],
      ["no retry layer", { retry: false }, "retry is false: has no effect below a Clerk"],
      [
        "discovery of a list",
        { discovery: {} },
        "discovery: has no effect on a list of servers; give target",
      ],
    ])("%s", (_what, channel, problem) => {
      const error = configErrorOf(() => clerks[by]!({ servers, channel }));

      expect(error.details).toContain(`channel.${problem}`);
      expect(problemCount(error)).toBe(1);
    });

    it("takes discovery beside a target, and whatever else a channel takes", () => {
      const channel = { discovery: { minIntervalMs: 500 }, keepalive: { timeMs: 20_000 }, drainMs: 0 };

      expect(() => clerks[by]!({ target: "dns:///kv:1", channel })).not.toThrow();
      expect(() => clerks[by]!({ servers, channel: { breaker: { maxOpenMs: 200 } } })).not.toThrow();
    });
  },
);

describe.each(Object.keys(peers))("the channel below peers, by %s", (by) => {
  it("keeps its preset", () => {
    for (const preset of ["grpc", "raft"]) {
      const error = configErrorOf(() => peers[by]!({ channel: { preset } }));

      expect(error.details).toContain(
        `channel.preset is "${preset}": not taken below a peer, whose preset is`,
      );
      expect(problemCount(error)).toBe(1);
    }
  });

  it("takes a timeout and retries, which hold for stubs that share it", () => {
    const channel = { timeoutMs: 2_000, attemptTimeoutMs: 500, retry: { maxAttempts: 2 } };

    expect(() => peers[by]!({ channel })).not.toThrow();
  });

  it.each<[object, number, string]>([
    [{}, 1_000, "maxAppendBytes (4194304)"],
    [{ maxAppendBytes: 999, maxSnapshotBytes: 1_001 }, 1_000, "maxSnapshotBytes (1001)"],
    [{ maxAppendBytes: 64, maxSnapshotBytes: 64 }, 0, "maxAppendBytes (64)"],
  ])("must be able to send what the peer may: %j over %i", (limits, maxSendMessageBytes, least) => {
    const error = configErrorOf(() => peers[by]!({ ...limits, channel: { maxSendMessageBytes } }));

    expect(error.details).toContain(
      `channel.maxSendMessageBytes is ${maxSendMessageBytes}; allowed: ${least} or more`,
    );
    expect(problemCount(error)).toBe(1);
  });

  it("sends by itself what the peer may", () => {
    expect(() => peers[by]!({ maxAppendBytes: 8_388_608 })).not.toThrow();
    expect(() =>
      peers[by]!({ maxAppendBytes: 64, channel: { maxSendMessageBytes: 4_194_304 } }),
    ).not.toThrow();
  });
});

describe("the methods of a channel in the file", () => {
  it.each<[string, (methods: object) => object, string]>([
    ["of its own", (methods) => ({ channels: { c: { target: "a:1", insecure, methods } } }), "channels.c."],
    [
      "of a Clerk",
      (methods) => ({ clerks: { c: { servers, insecure, channel: { methods } } } }),
      "clerks.c.channel.",
    ],
    [
      "of peers",
      (methods) => ({ raftPeers: { c: { addresses, insecure, channel: { methods } } } }),
      "raftPeers.c.channel.",
    ],
  ])("keep within it: %s", (_what, config, path) => {
    const methods = {
      "a.B/C": { retry: { maxAttempts: 9 } },
      "a.B/D": { timeoutMs: 100, attemptTimeoutMs: 500 },
    };

    const error = configErrorOf(() => Holdfast.fromObject(config(methods)));

    expect(error.details).toContain(
      `${path}methods.a.B/C.retry.maxAttempts is 9: allowed: 1 to the channel's`,
    );
    expect(error.details).toContain(
      `${path}methods.a.B/D.attemptTimeoutMs is 500: allowed: timeoutMs (100) or`,
    );
    expect(problemCount(error)).toBe(2);
  });
});

it("does not propose what is refused below a Clerk", () => {
  const error = configErrorOf(() => clerks["the file"]!({ servers, channel: { timeoutMS: 1, presett: 1 } }));

  expect(error.details).toContain(
    "timeoutMS is not a known key (known: enabled, waitForReady, maxMetadataBytes",
  );
  expect(error.details).not.toMatch(/did you mean (timeoutMs|preset)/);
});
