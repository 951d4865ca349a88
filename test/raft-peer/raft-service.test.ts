import { credentials, Server, type ServiceError, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import * as wire from "../../src/gen/raftpb/raft.js";
import type { CommandCodec, RaftHandler } from "../../src/raft-peer/raft-messages.js";
import { addRaftService, raftMethods } from "../../src/raft-peer/raft-service.js";
import { Stage } from "../support/stage.js";
import { serve } from "./served-server.js";

const stage = new Stage();
const VOTE = { term: 7n, candidateId: 2n, lastLogIndex: 9n, lastLogTerm: 6n };
const APPEND = { term: 7n, leaderId: 1n, prevLogIndex: 9n, prevLogTerm: 6n, leaderCommit: 8n };
const SNAPSHOT = { term: 7n, leaderId: 1n, lastIncludedIndex: 9n, lastIncludedTerm: 6n };

/** Keeps what it is told and answers with fixed replies. */
class Recorder implements RaftHandler {
  readonly heard: unknown[] = [];

  requestVote(request: unknown) {
    this.heard.push(request);
    return { term: 8, voteGranted: true };
  }

  async appendEntries(request: unknown) {
    this.heard.push(request);
    return { term: 8, success: false, conflictIndex: -3, conflictTerm: -1 };
  }

  installSnapshot(request: unknown) {
    this.heard.push(request);
    return Promise.resolve({ term: 8 });
  }
}

async function clientOf<C>(handler: RaftHandler<C>, commandCodec?: CommandCodec<C>) {
  const options = commandCodec === undefined ? {} : { commandCodec };
  const server = stage.use(await serve((grpcServer) => addRaftService(grpcServer, handler, options)));
  return stage.use(new wire.RaftServiceClient(server.address, credentials.createInsecure()));
}

/** The answer of a generated client, or its error. */
function ask<Reply>(
  start: (callback: (error: ServiceError | null, reply: Reply) => void) => unknown,
): Promise<Reply | ServiceError> {
  return new Promise((resolve) => start((error, reply) => resolve(error ?? reply)));
}

describe("a Raft core on a gRPC server", () => {
  it("hears the caller's vote request and answers it", async () => {
    const handler = new Recorder();
    const client = await clientOf(handler);

    const reply = await ask((done) => client.requestVote(VOTE, done));

    expect(handler.heard).toEqual([{ term: 7, candidateId: 2, lastLogIndex: 9, lastLogTerm: 6 }]);
    expect(reply).toEqual({ term: 8n, voteGranted: true });
  });

  it("hears the leader's entries and answers with negative numbers whole", async () => {
    const handler = new Recorder();
    const client = await clientOf(handler);
    const entries = [{ index: 10n, term: 7n, command: Buffer.from([0, 255]) }];

    const reply = await ask((done) => client.appendEntries({ ...APPEND, entries }, done));

    expect(handler.heard).toEqual([
      {
        term: 7,
        leaderId: 1,
        prevLogIndex: 9,
        prevLogTerm: 6,
        leaderCommit: 8,
        entries: [{ index: 10, term: 7, command: Buffer.from([0, 255]) }],
      },
    ]);
    expect(reply).toEqual({ term: 8n, success: false, conflictIndex: -3n, conflictTerm: -1n });
  });

  it("hears a snapshot and answers it", async () => {
    const handler = new Recorder();
    const client = await clientOf(handler);

    const reply = await ask((done) => client.installSnapshot({ ...SNAPSHOT, data: Buffer.from("db") }, done));

    expect(handler.heard).toEqual([
      { term: 7, leaderId: 1, lastIncludedIndex: 9, lastIncludedTerm: 6, data: Buffer.from("db") },
    ]);
    expect(reply).toEqual({ term: 8n });
  });

  it("gets commands as the application's own values, by its codec", async () => {
    const heard: unknown[] = [];
    const handler = Object.assign(new Recorder(), {
      appendEntries: (request: unknown) => {
        heard.push(request);
        return { term: 8, success: true, conflictIndex: 0, conflictTerm: 0 };
      },
    }) as unknown as RaftHandler<{ set: number }>;
    const client = await clientOf(handler, jsonCodec);
    const entries = [{ index: 10n, term: 7n, command: Buffer.from('{"set":5}') }];

    await ask((done) => client.appendEntries({ ...APPEND, entries }, done));

    expect(heard).toMatchObject([{ entries: [{ index: 10, command: { set: 5 } }] }]);
  });
});

describe("a request that cannot be taken", () => {
  it("is INVALID_ARGUMENT and names the number that is out of range; the handler never sees it", async () => {
    const handler = new Recorder();
    const client = await clientOf(handler);

    const error = await ask((done) => client.requestVote({ ...VOTE, lastLogTerm: 2n ** 53n }, done));

    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect((error as ServiceError).details).toMatch(/lastLogTerm is 9007199254740992; allowed/);
    expect(handler.heard).toEqual([]);
  });

  it("is INVALID_ARGUMENT and names the entry whose command cannot be decoded", async () => {
    const client = await clientOf(new Recorder() as unknown as RaftHandler<{ set: number }>, jsonCodec);
    const entries = ["{}", "{"].map((text) => ({ index: 1n, term: 1n, command: Buffer.from(text) }));

    const error = await ask((done) => client.appendEntries({ ...APPEND, entries }, done));

    expect(error).toMatchObject({ code: status.INVALID_ARGUMENT });
    expect((error as ServiceError).details).toMatch(/entries\[1\]\.command cannot be decoded: .*JSON/);
  });
});

describe("a handler that fails", () => {
  const circular: Record<string, unknown> = Object.create(null);
  circular["self"] = circular;
  const failures: readonly (readonly [string, unknown, Partial<ServiceError>])[] = [
    ["an error", new Error("disk full"), { code: status.INTERNAL, details: "disk full" }],
    ["text", "disk full", { code: status.INTERNAL, details: "'disk full'" }],
    ["nothing", undefined, { code: status.INTERNAL, details: "undefined" }],
    ["an object without a text", circular, { code: status.INTERNAL }],
    [
      "a gRPC error",
      Object.assign(new Error("13 x"), { code: status.UNAVAILABLE, details: "shutting down" }),
      { code: status.UNAVAILABLE, details: "shutting down" },
    ],
    [
      "an error with a code but no details",
      Object.assign(new Error("later"), { code: status.RESOURCE_EXHAUSTED }),
      { code: status.RESOURCE_EXHAUSTED, details: "later" },
    ],
    [
      "an error of the file system",
      Object.assign(new Error("x"), { code: "ENOSPC" }),
      { code: status.INTERNAL },
    ],
    [
      "an error with the code OK",
      Object.assign(new Error("x"), { code: status.OK }),
      { code: status.INTERNAL },
    ],
    [
      "an error with a code that is none",
      Object.assign(new Error("x"), { code: 99 }),
      { code: status.INTERNAL },
    ],
    ["half a surrogate pair", new Error("a\uD800b"), { code: status.INTERNAL, details: "a\uFFFDb" }],
    ["a text that no header can carry", new Error("é".repeat(100_000)), { details: "é".repeat(1_000) }],
  ];

  it.each(failures)(
    "by throwing %s ends the call, and the next call is answered",
    async (_, thrown, expected) => {
      const handler = new Recorder();
      const failing = Object.assign(new Recorder(), {
        requestVote: () => {
          throw thrown;
        },
        appendEntries: () => Promise.reject(thrown),
        installSnapshot: handler.installSnapshot.bind(handler),
      });
      const client = await clientOf(failing);

      const errors = [
        await ask((done) => client.requestVote(VOTE, done)),
        await ask((done) => client.appendEntries({ ...APPEND, entries: [] }, done)),
      ];

      expect(errors).toMatchObject([expected, expected]);
      expect(
        await ask((done) => client.installSnapshot({ ...SNAPSHOT, data: Buffer.alloc(0) }, done)),
      ).toEqual({
        term: 8n,
      });
    },
  );

  it.each([
    ["does not fit", { term: 0.5, voteGranted: true }, /term is 0\.5/],
    ["lacks a field", { term: 1 }, /voteGranted is undefined/],
    ["is missing", undefined, /cannot be sent/],
  ])("by a reply that %s is INTERNAL and says so", async (_, reply, details) => {
    const client = await clientOf(Object.assign(new Recorder(), { requestVote: () => reply as never }));

    const error = await ask<wire.RequestVoteResponse>((done) => client.requestVote(VOTE, done));

    expect((error as ServiceError).code).toBe(status.INTERNAL);
    expect((error as ServiceError).details).toMatch(/^the handler's reply cannot be sent: /);
    expect((error as ServiceError).details).toMatch(details);
  });
});

describe("what cannot be served", () => {
  it("is refused with every method that the handler lacks", () => {
    const handler = { requestVote: () => ({ term: 1, voteGranted: true }) } as unknown as RaftHandler;

    expect(() => raftMethods(handler)).toThrow(
      /2 problems: the handler has no method appendEntries; .* the handler has no method installSnapshot;/,
    );
    expect(() => raftMethods(null as unknown as RaftHandler)).toThrow(/3 problems/);
  });

  it("is refused when the server has a Raft service already", () => {
    const server = new Server();
    addRaftService(server, new Recorder());

    expect(() => addRaftService(server, new Recorder())).toThrow(/RequestVote/);
  });
});

const jsonCodec: CommandCodec<{ set: number }> = {
  encode: (command) => Buffer.from(JSON.stringify(command)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as { set: number },
};

describe("a peer that calls us", () => {
  /** Counts how often each peer was reconnected at once. */
  function contacts(count: number) {
    const resets = Array.from({ length: count }, () => 0);
    const peers = resets.map((_, id) => ({ channel: { resetBackoff: () => void resets[id]!++ } }));
    return { resets, peers };
  }

  it.each([
    [
      "requestVote",
      2,
      (client: wire.RaftServiceClient, done: () => void) =>
        client.requestVote(wire.RequestVoteRequest.fromPartial(VOTE), done),
    ],
    [
      "appendEntries",
      1,
      (client: wire.RaftServiceClient, done: () => void) =>
        client.appendEntries(wire.AppendEntriesRequest.fromPartial(APPEND), done),
    ],
    [
      "installSnapshot",
      1,
      (client: wire.RaftServiceClient, done: () => void) =>
        client.installSnapshot(wire.InstallSnapshotRequest.fromPartial(SNAPSHOT), done),
    ],
  ] as const)("by %s is dialled at once, and no other", async (_method, caller, call) => {
    const { resets, peers } = contacts(4);
    const server = stage.use(
      await serve((grpcServer) =>
        addRaftService(grpcServer, new Recorder(), { peers: [null, ...peers.slice(1)] }),
      ),
    );
    const client = stage.use(new wire.RaftServiceClient(server.address, credentials.createInsecure()));

    await new Promise<void>((resolve) => call(client, resolve));

    expect(resets).toEqual([0, 1, 2, 3].map((id) => (id === caller ? 1 : 0)));
  });

  it("and is none of ours harms nothing", async () => {
    const server = stage.use(
      await serve((grpcServer) => addRaftService(grpcServer, new Recorder(), { peers: [null] })),
    );
    const client = stage.use(new wire.RaftServiceClient(server.address, credentials.createInsecure()));

    const reply = await ask<wire.RequestVoteResponse>((done) =>
      client.requestVote(wire.RequestVoteRequest.fromPartial(VOTE), done),
    );

    expect(reply).toMatchObject({ voteGranted: true });
  });
});
