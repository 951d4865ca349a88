import { credentials, ServerCredentials, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { KVServiceClient } from "../../src/gen/kvraftpb/kvraft.js";
import { stubFor } from "../../src/interceptors/index.js";
import {
  addKvService,
  createRaftPeer,
  createRaftPeers,
  type GrpcRaftPeer,
  raftPeerOptionsSchema,
} from "../../src/raft-peer/index.js";
import { ReopenablePort } from "../support/reopenable-port.js";
import { Stage } from "../support/stage.js";
import { TestAuthority, testAuthority } from "../support/tls-certs.js";
import { RaftServer } from "./raft-server.js";

const stage = new Stage();
const VOTE = { term: 7, candidateId: 2, lastLogIndex: 9, lastLogTerm: 6 };
const APPEND = { term: 7, leaderId: 1, prevLogIndex: 9, prevLogTerm: 6, leaderCommit: 8, entries: [] };
const SNAPSHOT = { term: 7, leaderId: 1, lastIncludedIndex: 9, lastIncludedTerm: 6, data: Buffer.from("db") };
/** For what is not about time, on machines that are slow. */
const PATIENT = { voteTimeoutMs: 5_000, appendTimeoutMs: 5_000, snapshotTimeoutMs: 5_000 };
const PLAIN = { insecure: true, ...PATIENT };

const callAll = async (peer: GrpcRaftPeer): Promise<string[]> => {
  const results = [
    await peer.requestVote(VOTE),
    await peer.appendEntries(APPEND),
    await peer.installSnapshot(SNAPSHOT),
  ];
  return results.map((result) => (result.ok ? "ok" : result.kind));
};

/** The address of a port that was open a moment ago and refuses now. */
async function refusedAddress(): Promise<string> {
  const port = stage.use(await ReopenablePort.listen(() => {}));
  port.shut();
  return `127.0.0.1:${port.port}`;
}

describe("a RaftPeer on the wire", () => {
  it("reaches eraft's own paths, one call each, over one connection", async () => {
    const server = stage.use(await RaftServer.start());
    const peer = stage.use(createRaftPeer(server.address, PLAIN));

    expect(await callAll(peer)).toEqual(["ok", "ok", "ok"]);
    expect(server.paths).toEqual([
      "/raftpb.RaftService/RequestVote",
      "/raftpb.RaftService/AppendEntries",
      "/raftpb.RaftService/InstallSnapshot",
    ]);
    expect(server.peers.size).toBe(1);
  });

  it("shares its connection with a KV stub on its channel, which its closing ends", async () => {
    const reply = { err: "OK", value: "v" };
    const nodeStatus = {
      id: 0,
      state: "Leader",
      term: 1,
      lastApplied: 0,
      commitIndex: 0,
      storageBytes: 0,
    } as const;
    const add = (server: Parameters<typeof addKvService>[0]) =>
      addKvService(server, { command: () => reply, status: () => nodeStatus });
    const server = stage.use(await RaftServer.start({}, { add }));
    const peer = stage.use(createRaftPeer(server.address, PLAIN));
    const kv = stubFor(KVServiceClient, peer.channel);
    const ask = () =>
      new Promise((resolve) => kv.getStatus({}, (error, answer) => resolve(error?.code ?? answer?.state)));

    const answers = [await callAll(peer), await ask(), await callAll(peer)];
    await peer.close();

    expect(answers).toEqual([["ok", "ok", "ok"], "Leader", ["ok", "ok", "ok"]]);
    expect(server.peers.size).toBe(1);
    expect(await ask()).not.toBe("Leader");
  });

  it("gives each node of a cluster a connection of its own, and its own slot none", async () => {
    const servers = [await RaftServer.start(), await RaftServer.start(), await RaftServer.start()];
    for (const server of servers) stage.use(server);
    const addresses = servers.map(({ address }) => address);
    const peers = createRaftPeers(addresses, 1, PLAIN);
    for (const peer of peers) if (peer !== null) stage.use(peer);

    for (const peer of peers) if (peer !== null) await callAll(peer);

    expect(servers.map(({ paths, peers }) => [paths.length, peers.size])).toEqual([
      [3, 1],
      [0, 0],
      [3, 1],
    ]);
  });

  it("brings a batch beyond the server's 4 MiB limit whole, and fails one entry beyond it unsent", async () => {
    const sizes: number[] = [];
    const appendEntries = ({ entries }: { entries: readonly { command: Uint8Array }[] }) => {
      sizes.push(...entries.map(({ command }) => command.length));
      return { term: 7, success: true, conflictIndex: 0, conflictTerm: 0 };
    };
    const server = stage.use(await RaftServer.start({ appendEntries }));
    const peer = stage.use(createRaftPeer(server.address, PLAIN));
    const entriesOf = (count: number, bytes: number) =>
      Array.from({ length: count }, (_, at) => ({ index: 10 + at, term: 7, command: Buffer.alloc(bytes) }));

    const batch = await peer.appendEntries({ ...APPEND, entries: entriesOf(10, 1_000_000) });
    const single = await peer.appendEntries({ ...APPEND, entries: entriesOf(1, 4_194_304) });

    expect([batch.ok, sizes]).toEqual([true, Array(10).fill(1_000_000)]);
    expect(single).toMatchObject({ kind: "too-large", processed: "no" });
    expect(server.paths).toHaveLength(10);
  });

  it("says too-large when the server's own limit is lower than ours", async () => {
    const server = stage.use(await RaftServer.start());
    const peer = stage.use(createRaftPeer(server.address, { ...PLAIN, maxSnapshotBytes: 8_000_000 }));

    const result = await peer.installSnapshot({ ...SNAPSHOT, data: Buffer.alloc(5_000_000) });

    expect(result).toMatchObject({ ok: false, kind: "too-large", reason: "REMOTE" });
    expect(server.paths).toHaveLength(1);
  });

  it("keeps the defaults and the options given as they are, through 1,000 concurrent calls of peers that differ", async () => {
    const server = stage.use(await RaftServer.start());
    const before = raftPeerOptionsSchema.parse({});
    const channel = Object.freeze({ maxStreamsPerConnection: 1_000 });
    const shared = Object.freeze({ ...PLAIN, voteTimeoutMs: 12_000, channel });
    const copy = structuredClone(shared);
    const peers = Array.from({ length: 3 }, (_, at) =>
      stage.use(createRaftPeer(server.address, { ...shared, voteTimeoutMs: 12_001 + at, minFailureMs: at })),
    );
    peers.push(stage.use(createRaftPeer(server.address, shared)));

    for (const peer of peers) await callAll(peer);
    const calls = Array.from({ length: 1_000 }, (_, at) =>
      (peers[at % peers.length] as GrpcRaftPeer).requestVote(VOTE),
    );
    const results = await Promise.all(calls);

    expect(results.filter(({ ok }) => ok)).toHaveLength(1_000);
    expect(shared).toEqual(copy);
    expect(raftPeerOptionsSchema.parse({})).toEqual(before);
  });
});

describe("a peer that fails at once, awaited in a loop without a pause", () => {
  /** Calls in 200 ms, and when a timer of 10 ms fired beside them: never, if they left it no time. */
  async function spin(peer: GrpcRaftPeer): Promise<{ calls: number; kinds: Set<string>; timerMs: number }> {
    const startedAt = performance.now();
    const kinds = new Set<string>();
    let timerMs = Number.POSITIVE_INFINITY;
    const timer = setTimeout(() => {
      timerMs = performance.now() - startedAt;
    }, 10);
    let calls = 0;
    for (; performance.now() - startedAt < 200; calls++) {
      const result = await peer.appendEntries(APPEND);
      kinds.add(result.ok ? "ok" : `${result.kind} ${result.reason}`);
    }
    clearTimeout(timer);
    return { calls, kinds, timerMs };
  }

  it("makes at most 40 calls in 200 ms where connections are refused, and lets timers fire", async () => {
    const peer = stage.use(createRaftPeer(await refusedAddress(), PLAIN));

    const { calls, kinds, timerMs } = await spin(peer);

    expect([...kinds].every((kind) => kind.startsWith("unreachable"))).toBe(true);
    expect(calls).toBeLessThanOrEqual(40);
    expect(timerMs).toBeLessThan(Number.POSITIVE_INFINITY);
  });

  it("makes at most 40 where a breaker is open, and lets timers fire", async () => {
    const down = Object.assign(new Error("down"), { code: status.UNAVAILABLE });
    const server = stage.use(await RaftServer.start({ appendEntries: () => Promise.reject(down) }));
    const breaker = { consecutiveFailures: 1, openMs: 60_000, maxOpenMs: 60_000 };
    const peer = stage.use(createRaftPeer(server.address, { ...PLAIN, channel: { breaker } }));
    await peer.appendEntries(APPEND);

    const { calls, kinds, timerMs } = await spin(peer);

    expect([...kinds]).toEqual(["unreachable CIRCUIT_OPEN"]);
    expect(calls).toBeLessThanOrEqual(40);
    expect(timerMs).toBeLessThan(Number.POSITIVE_INFINITY);
  });
});

describe("a peer over TLS", () => {
  async function securedServer(): Promise<RaftServer> {
    const { ca, cert, key } = await (await testAuthority()).server();
    const pair = [{ cert_chain: cert, private_key: key }];
    return stage.use(
      await RaftServer.start({}, { credentials: ServerCredentials.createSsl(ca, pair, true) }),
    );
  }

  it("proves itself by a certificate, and is answered", async () => {
    const server = await securedServer();
    const { ca, cert, key } = await (await testAuthority()).client();
    const secure = { credentials: credentials.createSsl(ca, key, cert), ...PATIENT };
    const peer = stage.use(createRaftPeer(server.address, secure));

    expect(await callAll(peer)).toEqual(["ok", "ok", "ok"]);
  });

  it("is unreachable, and nothing ran, without a certificate, with a stranger's, or in plaintext", async () => {
    const server = await securedServer();
    const { ca } = await (await testAuthority()).client();
    const stranger = await (await TestAuthority.create()).client();
    const all = [
      { credentials: credentials.createSsl(ca) },
      { credentials: credentials.createSsl(ca, stranger.key, stranger.cert) },
      { insecure: true },
    ];

    for (const security of all) {
      const peer = stage.use(createRaftPeer(server.address, { ...security, ...PATIENT }));
      expect(await peer.requestVote(VOTE)).toMatchObject({ ok: false, kind: "unreachable" });
    }
    expect(server.paths).toEqual([]);
  });
});
