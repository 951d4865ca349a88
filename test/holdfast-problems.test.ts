import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { Holdfast } from "../src/holdfast.js";
import { everyKeyObject } from "./config/config-folder.js";
import { configErrorOf, problemCount } from "./support/config-error.js";

const users = { target: "static:///127.0.0.1:1", insecure: true };
const kv = { servers: ["127.0.0.1:1"], insecure: true };
const peers = { addresses: ["127.0.0.1:1", "127.0.0.1:2"], insecure: true };

function errorOf(config: unknown) {
  return configErrorOf(() => Holdfast.fromObject(config as object));
}

const channel = (more: object): object => ({ channels: { users: { ...users, ...more } } });
const clerk = (more: object): object => ({ clerks: { kv: { ...kv, ...more } } });
const raft = (more: object): object => ({ raftPeers: { kv: { ...peers, ...more } } });

describe("one problem of a configuration", () => {
  it.each<[string, unknown, string]>([
    ["null", null, "the configuration is null; allowed: a value of type object"],
    ["a list", [], "the configuration is an array; allowed: a value of type object"],
    ["a text", "channels", 'the configuration is "channels"; allowed: a value of type object'],
    ["an instance", new Map(), "the configuration is an object of class Map; allowed: plain data"],
    ["an unknown section", { chanels: {} }, "chanels is not a known key (did you mean channels?)"],
    ["a section that is empty", { channels: null }, "channels is null; allowed: a value of type object"],
    ["a section that is a list", { clerks: [] }, "clerks is an array; allowed: a value of type object"],
    [
      "an entry that is empty",
      { raftPeers: { kv: null } },
      "raftPeers.kv is null; allowed: a value of type object",
    ],
    [
      "a name with a dot",
      { channels: { "a.b": users } },
      "channels.a.b: as a name is not allowed; allowed: 1 to 64",
    ],
    [
      "a name with a space",
      { clerks: { "a b": kv } },
      'clerks."a b": as a name is not allowed; allowed: 1 to 64',
    ],
    [
      "no target",
      { channels: { users: { insecure: true } } },
      "channels.users.target is undefined; allowed: a value of type string",
    ],
    [
      "a target without a port",
      channel({ target: "static:///a" }),
      'channels.users.target is "static:///a": the address "a" has no port; write host:port',
    ],
    [
      "a target of another kind",
      channel({ target: "xds:///a" }),
      'channels.users.target: the target "xds:///a" has the scheme "xds", which is not taken',
    ],
    [
      "plaintext unsaid",
      { channels: { users: { target: "a:1" } } },
      "channels.users.tls: missing; give tls, or insecure: true for plaintext",
    ],
    ["plaintext denied", channel({ insecure: false }), "channels.users.insecure is false: needs tls"],
    [
      "TLS and plaintext",
      channel({ tls: {} }),
      "channels.users.insecure is true: set beside tls; give one of them",
    ],
    [
      "a TLS file that is missing",
      channel({ insecure: false, tls: { caFile: "none.pem" } }),
      'channels.users.tls.caFile is "none.pem": cannot be read: ENOENT',
    ],
    [
      "a typo in TLS",
      channel({ insecure: false, tls: { caFiel: "x" } }),
      "channels.users.tls.caFiel is not a known key (did you mean caFile?)",
    ],
    [
      "a number out of range",
      channel({ retry: { maxAttempts: 0 } }),
      "channels.users.retry.maxAttempts is 0; allowed: 1 or more",
    ],
    [
      "a number over another",
      channel({ retry: { maxAttempts: 9 } }),
      "channels.users.retry.maxAttempts is 9; allowed: 1 to maxAttemptsLimit (5)",
    ],
    [
      "a typo deep inside",
      channel({ retry: { backoff: { initalMs: 1 } } }),
      "channels.users.retry.backoff.initalMs is not a known key (did you mean initialMs?)",
    ],
    ["a key of code", channel({ credentials: "x" }), "channels.users.credentials is not a known key"],
    [
      "an attempt longer than its call",
      channel({ timeoutMs: 5, attemptTimeoutMs: 6 }),
      "channels.users.attemptTimeoutMs is 6: allowed: timeoutMs or less",
    ],
    ["an unknown preset", channel({ preset: "raff" }), "channels.users.preset"],
    [
      "a method option",
      channel({ methods: { "a.B/C": { idempotent: "yes" } } }),
      'channels.users.methods.a.B/C.idempotent is "yes"; allowed: a value of type boolean',
    ],
    [
      "a refused grpc-js option",
      channel({ channelOptions: { "grpc.enable_retries": 1 } }),
      "channels.users.channelOptions.grpc.enable_retries: refused: retries are Holdfast's",
    ],
    [
      "an unknown policy",
      channel({ loadBalancing: "round-robin" }),
      'channels.users.loadBalancing is "round-robin": is no load-balancing policy (did you mean round_robin?)',
    ],
    [
      "an unknown policy of a group",
      channel({ loadBalancing: { policy: "ringhash" } }),
      'channels.users.loadBalancing.policy is "ringhash": is no load-balancing policy (did you mean ring_hash?)',
    ],
    [
      "an option of another policy",
      channel({ loadBalancing: { policy: "least_request", minRingSize: 5 } }),
      "channels.users.loadBalancing.minRingSize is 5: is no option of least_request (known: choiceCount)",
    ],
    [
      "health of nobody",
      channel({ health: {} }),
      "channels.users.health.serviceName is undefined; allowed: a value of type string",
    ],
    [
      "a probe, which is code",
      channel({ health: { serviceName: "", probe: "x" } }),
      "channels.users.health.probe is not a known key (known: serviceName, intervalMs, timeoutMs, useWatch)",
    ],
    [
      "health under pick_first",
      channel({ health: { serviceName: "" }, loadBalancing: "pick_first" }),
      "channels.users.health: means nothing under pick_first",
    ],
    [
      "probes by health that nobody asks for",
      channel({ breaker: { probedBy: "health" } }),
      'channels.users.breaker.probedBy is "health": needs the option health',
    ],
    [
      "two numbers of connections",
      channel({ poolSize: 2, maxConnections: 3 }),
      "channels.users.poolSize is 2: stands beside minConnections or maxConnections",
    ],
    [
      "more connections than there may be",
      clerk({ channel: { minConnections: 3, maxConnections: 2 } }),
      "clerks.kv.channel.minConnections is 3: allowed: 1 to maxConnections (2)",
    ],
    [
      "a policy below peers",
      raft({ channel: { loadBalancing: "grpclb" } }),
      'raftPeers.kv.channel.loadBalancing is "grpclb": is a look-aside protocol',
    ],
    [
      "no servers",
      { clerks: { kv: { insecure: true } } },
      "clerks.kv.servers: missing; give servers or target",
    ],
    [
      "servers and target",
      clerk({ target: "a:1" }),
      'clerks.kv.target is "a:1": set beside servers; give one of them',
    ],
    [
      "an empty list",
      clerk({ servers: [] }),
      "clerks.kv.servers is an empty array; allowed: 1 entry or more",
    ],
    [
      "an address without a port",
      clerk({ servers: ["a:1", "b"] }),
      'clerks.kv.servers.1 is "b": has no port; write host:port',
    ],
    ["an address twice", clerk({ servers: ["a:1", "A:1"] }), 'clerks.kv.servers.1 is "A:1": listed twice'],
    ["a number of sessions", clerk({ sessions: 0 }), "clerks.kv.sessions is 0; allowed: 1 or more"],
    [
      "a channel's options of a Clerk",
      clerk({ channel: { drainMs: -1 } }),
      "clerks.kv.channel.drainMs is -1; allowed: 0 or more",
    ],
    [
      "where a channel of a Clerk goes",
      clerk({ channel: { target: "a:1" } }),
      "clerks.kv.channel.target is not a known key",
    ],
    [
      "a list as a channel's options",
      clerk({ channel: [] }),
      "clerks.kv.channel is an array; allowed: a value of type object",
    ],
    [
      "a place beyond the addresses",
      raft({ me: 2 }),
      "raftPeers.kv.me is 2: allowed: 0 to 1, a place in addresses",
    ],
    [
      "a typo of a peer",
      raft({ voteTimeotMs: 1 }),
      "raftPeers.kv.voteTimeotMs is not a known key (did you mean voteTimeoutMs?)",
    ],
    [
      "a channel's options of peers",
      raft({ channel: { breaker: { openMS: 1 } } }),
      "raftPeers.kv.channel.breaker.openMS is not a known key (did you mean openMs?)",
    ],
    [
      "a key that objects swallow",
      JSON.parse('{"channels": {"__proto__": {"target": "a:1"}}}'),
      "channels.__proto__ is no key that can be used",
    ],
  ])("is told with path, value and what is allowed: %s", (_what, config, problem) => {
    const error = errorOf(config);

    expect(error.details).toContain(problem);
    expect([error.reason, problemCount(error)]).toEqual(["CONFIG_INVALID", 1]);
  });

  it("is none where the preset beneath allows it, and one where it does not", () => {
    const ended = { breaker: { maxOpenMs: 200 } };

    expect(() => Holdfast.fromObject(clerk({ channel: ended }))).not.toThrow();
    expect(() => Holdfast.fromObject(channel({ preset: "eraft", ...ended }))).not.toThrow();
    expect(errorOf(channel(ended)).details).toContain("channels.users.breaker.openMs is 5000");
  });
});

it("hides no rule across keys behind an unknown preset", () => {
  const error = errorOf({
    channels: { users: { target: "a:1", preset: "nope", timeoutMs: 5, attemptTimeoutMs: 6 } },
  });

  expect(error.details).toContain(
    'channels.users.preset is "nope": is no preset (known: grpc, documents, low-latency, batch, etcd, raft, eraft)',
  );
  expect(error.details).toContain("channels.users.attemptTimeoutMs is 6: allowed: timeoutMs or less");
  expect(error.details).toContain("channels.users.tls: missing");
  expect(problemCount(error)).toBe(3);
});

it("tells every problem of all sections in one error", () => {
  const error = errorOf({
    channels: {
      users: { ...users, retry: { maxAttempts: 0, backoff: { kind: "slow" } }, timeoutMs: "2s" },
      "bad name": { targte: "a:1" },
    },
    clerks: { kv: { servers: ["a"], sessions: 0, channel: { attemptTimeoutMs: 50_000, foo: 1 } } },
    raftPeers: { kv: { addresses: [], insecure: false, me: -1 } },
    chanels: {},
  });

  const paths = [
    "channels.users.retry.maxAttempts is 0",
    'channels.users.retry.backoff.kind is "slow"',
    'channels.users.timeoutMs is "2s"',
    'channels."bad name".target is',
    'channels."bad name".targte is not a known key',
    'channels."bad name".tls: missing',
    'channels."bad name": as a name',
    'clerks.kv.servers.0 is "a"',
    "clerks.kv.sessions is 0",
    "clerks.kv.channel.attemptTimeoutMs is 50000",
    "clerks.kv.channel.foo is not",
    "clerks.kv.tls: missing",
    "raftPeers.kv.addresses is an empty",
    "raftPeers.kv.insecure is false",
    "raftPeers.kv.me is -1",
    "chanels is not a known key",
  ];
  expect(paths.filter((path) => !error.details.includes(path))).toEqual([]);
  expect(problemCount(error)).toBe(paths.length);
});

it("passes over templates, at the top alone", () => {
  const template = { anything: [null, { maxAttempts: 99 }] };

  expect(() => Holdfast.fromObject({ "x-base": template, channels: { users } } as object)).not.toThrow();
  expect(errorOf(channel({ "x-base": template })).details).toContain(
    "channels.users.x-base is not a known key",
  );
  expect(errorOf({ x: 1 }).details).toContain("x is not a known key");
});

it("gives editors a schema that knows every key of the file and no other", () => {
  const whole = everyKeyObject(readFileSync(new URL("config/every-key.yaml", import.meta.url), "utf8"));
  const { channels, clerks, raftPeers } = whole as Record<string, Record<string, object>>;
  const written = [channels, clerks, raftPeers].map((section) => [
    ...new Set(Object.values(section!).flatMap((entry) => Object.keys(entry))),
  ]);

  const { properties } = Holdfast.jsonSchema() as { properties: Record<string, never> };

  const known = ["channels", "clerks", "raftPeers"].map((section) =>
    Object.keys(properties[section]!["additionalProperties"]["properties"]),
  );
  expect(known.map((keys) => [...keys].sort())).toEqual(written.map((keys) => [...keys].sort()));
  expect(JSON.parse(JSON.stringify(Holdfast.jsonSchema()))).toEqual(Holdfast.jsonSchema());
});
