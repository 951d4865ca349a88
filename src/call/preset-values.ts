import type { ChannelOptions, PresetName } from "./channel-options.js";

/**
 * Raft's heartbeats are its own probes, every 125 ms, and a peer that comes back must get one before the shortest
 * election timeout of 1,000 ms: no breaker may hold it back, and no wait for a dial be longer than 350 ms.
 */
const RAFT: ChannelOptions = {
  reconnectBackoff: { initialMs: 50, multiplier: 1.6, maxMs: 200 },
  connectTimeoutMs: 350,
  suspicion: { checkTimeoutMs: 100 },
  breaker: false,
  methods: { "raftpb.RaftService": { idempotent: true, retry: false } },
};

/** A replicated KV service as its clients see it; the Clerk repeats by rules of its own. */
const ERAFT: ChannelOptions = {
  reconnectBackoff: RAFT.reconnectBackoff,
  connectTimeoutMs: 1_000,
  suspicion: { checkTimeoutMs: 250 },
  breaker: { openMs: 100, maxOpenMs: 250 },
  keepalive: null,
  methods: {
    "kvraftpb.KVService": { retry: false },
    "kvraftpb.KVService/GetStatus": { idempotent: true, retry: false },
  },
};

/**
 * Patient retries on five codes, and a pool of five connections to each server. Whatever the code, a method that is not declared idempotent is repeated only when it
 * provably did not run, and none of these codes but UNAVAILABLE can prove that.
 */
const DOCUMENTS: ChannelOptions = {
  poolSize: 5,
  retry: {
    maxAttempts: 3,
    backoff: { kind: "exponential", initialMs: 100, multiplier: 2, maxMs: 30_000, jitter: "additive10" },
    retryableCodes: ["UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "INTERNAL"],
  },
};

/**
 * Answers that are late are as good as none: methods declared idempotent are hedged, others retried quickly, and an
 * endpoint in trouble is left early. An attempt that may be repeated has its share of the one second by the default rule.
 */
const LOW_LATENCY: ChannelOptions = {
  timeoutMs: 1_000,
  hedging: { maxAttempts: 2, delayMs: "p95", initialDelayMs: 50 },
  retry: { maxAttempts: 3, backoff: { initialMs: 10, maxMs: 100, jitter: "full" } },
  connectTimeoutMs: 1_000,
  reconnectBackoff: { initialMs: 100, maxMs: 1_000 },
  suspicion: { checkTimeoutMs: 250, writeStallMs: 1_000 },
  breaker: { openMs: 1_000, maxOpenMs: 10_000 },
};

/**
 * Work that nobody waits for: it outlasts a restart of the servers, and an attempt may take as long as the call. So a
 * silent connection is found by pings, spaced wider than the 5 minutes that servers allow anybody.
 */
const BATCH: ChannelOptions = {
  timeoutMs: 600_000,
  attemptTimeoutMs: null,
  waitForReady: true,
  retry: {
    maxAttempts: 5,
    backoff: { initialMs: 1_000, maxMs: 30_000, jitter: "full" },
    retryableCodes: ["UNAVAILABLE", "RESOURCE_EXHAUSTED"],
  },
  keepalive: { timeMs: 330_000, timeoutMs: 20_000 },
};

/** etcd says "raft proposal dropped" with UNKNOWN, which is worth repeating for a read. */
const ETCD_READ = {
  idempotent: true,
  retry: { retryableCodes: ["UNAVAILABLE", "UNKNOWN"] },
};
/**
 * An election takes 1 to 2 s, which the waits of five attempts outlast together, and a call caught by it on a follower
 * hangs for 7 s before etcd answers it. etcd's limits of messages are its own client's, its pings twice what it allows.
 */
const ETCD: ChannelOptions = {
  timeoutMs: 10_000,
  retry: { maxAttempts: 5, backoff: { initialMs: 200, maxMs: 1_000 } },
  connectTimeoutMs: 2_000,
  reconnectBackoff: { initialMs: 100, maxMs: 2_000 },
  keepalive: { timeMs: 10_000, timeoutMs: 3_000 },
  maxSendMessageBytes: 2 * 1024 * 1024,
  maxReceiveMessageBytes: 2 ** 31 - 1,
  methods: {
    "etcdserverpb.KV/Range": ETCD_READ,
    "etcdserverpb.Lease/LeaseTimeToLive": ETCD_READ,
    "etcdserverpb.Lease/LeaseLeases": ETCD_READ,
    "etcdserverpb.Cluster/MemberList": ETCD_READ,
    "etcdserverpb.Maintenance/Status": ETCD_READ,
  },
};

/** The values of each preset; `grpc` is the plain defaults. */
export const PRESETS: Readonly<Record<PresetName, ChannelOptions>> = {
  grpc: {},
  documents: DOCUMENTS,
  "low-latency": LOW_LATENCY,
  batch: BATCH,
  etcd: ETCD,
  raft: RAFT,
  eraft: ERAFT,
};
