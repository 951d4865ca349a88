import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { CommandCodec, LinkedPeerOptions, RaftHandler, RaftPeer } from "../../src/raft-peer/index.js";

/** What one test sets up: a Raft core that is served, and what the peer that calls it is made with. */
export interface PeerSetup<Command> {
  readonly handler?: Partial<RaftHandler<Command>>;
  readonly options?: LinkedPeerOptions;
  /** Used on both sides. */
  readonly commandCodec?: CommandCodec<Command>;
}

/**
 * Where the contract is played: one transport, cleaned up after each test by whoever made it. Handlers that a setup
 * leaves out are those of `quietHandler`.
 */
export interface PeerStage {
  /** Serves the core, and makes a peer that calls it. */
  peer<Command = Uint8Array>(setup?: PeerSetup<Command>): Promise<RaftPeer<Command>>;
  /** A peer of an address where nobody listens. */
  lonelyPeer(options?: LinkedPeerOptions): Promise<RaftPeer>;
  /** Lets time pass until this is settled; on real time there is nothing to do. */
  settle<T>(result: Promise<T>): Promise<T>;
  /** How much later than asked a timer may fire, in ms; 0 on a manual clock. */
  readonly slackMs: number;
}

/** Answers everything, promises nothing. */
export const quietHandler: RaftHandler<never> = {
  requestVote: () => ({ term: 1, voteGranted: false }),
  appendEntries: () => ({ term: 1, success: true, conflictIndex: 0, conflictTerm: 0 }),
  installSnapshot: () => ({ term: 1 }),
};

const VOTE = { term: 7, candidateId: 2, lastLogIndex: 9, lastLogTerm: 6 };
const APPEND = { term: 7, leaderId: 1, prevLogIndex: 9, prevLogTerm: 6, leaderCommit: 8, entries: [] };
const SNAPSHOT = { term: 7, leaderId: 1, lastIncludedIndex: 9, lastIncludedTerm: 6, data: Buffer.from("db") };
const NUMBERS = [0, 1, -1, 2 ** 53 - 1, -(2 ** 53 - 1)];
/** For tests that are not about time, on machines that are slow. */
const PATIENT = { voteTimeoutMs: 5_000, appendTimeoutMs: 5_000, snapshotTimeoutMs: 5_000 };
const never = (): Promise<never> => new Promise(() => {});
const bytesOf = (command: Uint8Array) => [...command];

/** What holds for a `RaftPeer` on every transport. */
export function describePeerContract(name: string, stage: PeerStage): void {
  describe(`a RaftPeer ${name}`, () => {
    it.each(NUMBERS)("carries a vote and its answer whole, with %d in every field", async (n) => {
      const heard: unknown[] = [];
      const requestVote = async (request: unknown) => {
        heard.push(request);
        return { term: n, voteGranted: n === 0 };
      };
      const peer = await stage.peer({ handler: { requestVote }, options: PATIENT });
      const request = { term: n, candidateId: n, lastLogIndex: n, lastLogTerm: n };

      const result = await stage.settle(peer.requestVote(request));

      expect(heard).toEqual([request]);
      expect(result).toMatchObject({ ok: true, reply: { term: n, voteGranted: n === 0 } });
    });

    it.each(NUMBERS)("carries entries and a refusal whole, with %d in every field", async (n) => {
      const heard: unknown[] = [];
      const appendEntries = (request: { entries: readonly { command: Uint8Array }[] }) => {
        const entries = request.entries.map((entry) => ({ ...entry, command: bytesOf(entry.command) }));
        heard.push({ ...request, entries });
        return { term: n, success: false, conflictIndex: n, conflictTerm: n };
      };
      const peer = await stage.peer({ handler: { appendEntries }, options: PATIENT });
      const head = { term: n, leaderId: n, prevLogIndex: n, prevLogTerm: n, leaderCommit: n };
      const commands = [[], [0], [0xff], [0, 0xff, 0x80, 0, 10]];
      const entries = commands.map((bytes) => ({ index: n, term: n, command: Uint8Array.from(bytes) }));

      const result = await stage.settle(peer.appendEntries({ ...head, entries }));

      expect(heard).toEqual([
        { ...head, entries: commands.map((command) => ({ index: n, term: n, command })) },
      ]);
      expect(result).toMatchObject({
        ok: true,
        reply: { term: n, success: false, conflictIndex: n, conflictTerm: n },
      });
    });

    it.each([0, 1, 10_000])("carries %d entries in order", async (count) => {
      let indexes: number[] = [];
      const appendEntries = ({ entries }: { entries: readonly { index: number }[] }) => {
        indexes = entries.map(({ index }) => index);
        return { term: 1, success: true, conflictIndex: 0, conflictTerm: 0 };
      };
      const peer = await stage.peer({ handler: { appendEntries }, options: PATIENT });
      const entries = Array.from({ length: count }, (_, at) => ({
        index: at,
        term: 1,
        command: Buffer.from([at % 256]),
      }));

      const result = await stage.settle(peer.appendEntries({ ...APPEND, entries }));

      expect(result.ok).toBe(true);
      expect(indexes).toEqual(entries.map(({ index }) => index));
    });

    it.each([0, 1, 1_000_000])("carries a snapshot of %d bytes", async (length) => {
      let heard = Buffer.alloc(0);
      const installSnapshot = ({ data }: { data: Uint8Array }) => {
        heard = Buffer.from(data);
        return { term: 3 };
      };
      const peer = await stage.peer({ handler: { installSnapshot }, options: PATIENT });
      const data = Buffer.from(Array.from({ length }, (_, at) => (at * 7) % 256));

      const result = await stage.settle(peer.installSnapshot({ ...SNAPSHOT, data }));

      expect(result).toMatchObject({ ok: true, reply: { term: 3 } });
      expect(heard.equals(data)).toBe(true);
    });

    it("shares no memory with the server: each side may change what it has", async () => {
      const heard: number[][] = [];
      const appendEntries = async ({ entries }: { entries: readonly { command: Uint8Array }[] }) => {
        heard.push(entries.flatMap(({ command }) => bytesOf(command)));
        for (const { command } of entries) command.fill(9);
        return { term: 1, success: true, conflictIndex: 0, conflictTerm: 0 };
      };
      const peer = await stage.peer({ handler: { appendEntries }, options: PATIENT });
      const commands = [Buffer.from([1, 2]), Buffer.from([3, 4])] as const;
      const request = (at: 0 | 1) => ({
        ...APPEND,
        entries: [{ index: 10, term: 7, command: commands[at] }],
      });

      const first = peer.appendEntries(request(0));
      commands[0].fill(8);
      await stage.settle(first);
      await stage.settle(peer.appendEntries(request(1)));

      expect(heard).toEqual([
        [1, 2],
        [3, 4],
      ]);
      expect(bytesOf(commands[1])).toEqual([3, 4]);
    });

    it("carries the application's own commands, by its codec", async () => {
      const heard: unknown[] = [];
      const appendEntries = ({ entries }: { entries: readonly { command: unknown }[] }) => {
        heard.push(...entries.map(({ command }) => command));
        return { term: 1, success: true, conflictIndex: 0, conflictTerm: 0 };
      };
      const peer = await stage.peer<unknown>({
        handler: { appendEntries },
        commandCodec: json,
        options: PATIENT,
      });
      const entries = [{ set: 1 }, null, "x"].map((command, at) => ({ index: at, term: 1, command }));

      await stage.settle(peer.appendEntries({ ...APPEND, entries }));

      expect(heard).toEqual([{ set: 1 }, null, "x"]);
    });

    it("fails a call whose command cannot be encoded; the server gets no call", async () => {
      let calls = 0;
      const appendEntries = () => {
        calls++;
        return { term: 1, success: true, conflictIndex: 0, conflictTerm: 0 };
      };
      const peer = await stage.peer<unknown>({
        handler: { appendEntries },
        commandCodec: json,
        options: PATIENT,
      });
      const cyclic: { self?: unknown } = {};
      cyclic.self = cyclic;

      const results = [
        await stage.settle(
          peer.appendEntries({ ...APPEND, entries: [{ index: 1, term: 1, command: cyclic }] }),
        ),
        await stage.settle(
          peer.appendEntries({ ...APPEND, entries: [{ index: 2 ** 53, term: 1, command: 1 }] }),
        ),
        await stage.settle(peer.appendEntries(null as never)),
      ];

      for (const result of results)
        expect(result).toMatchObject({ ok: false, kind: "invalid", processed: "no" });
      expect(calls).toBe(0);
    });

    it("gives each of many calls at once its own answer", async () => {
      const requestVote = async ({ term }: { term: number }) => ({ term, voteGranted: term % 2 === 0 });
      const peer = await stage.peer({ handler: { requestVote }, options: PATIENT });

      const calls = Array.from({ length: 200 }, (_, term) => peer.requestVote({ ...VOTE, term }));
      const results = await stage.settle(Promise.all(calls));

      expect(results.map((result) => result.ok && result.reply)).toEqual(
        results.map((_, term) => ({ term, voteGranted: term % 2 === 0 })),
      );
    });

    it("cuts what is over maxAppendBytes into calls that together bring every entry", async () => {
      const heard: { prevLogIndex: number; leaderCommit: number; indexes: number[] }[] = [];
      const appendEntries = (request: typeof APPEND & { entries: readonly { index: number }[] }) => {
        const { prevLogIndex, leaderCommit, entries } = request;
        heard.push({ prevLogIndex, leaderCommit, indexes: entries.map(({ index }) => index) });
        return { term: 7, success: true, conflictIndex: 0, conflictTerm: 0 };
      };
      const peer = await stage.peer({
        handler: { appendEntries },
        options: { ...PATIENT, maxAppendBytes: 100 },
      });
      const entries = [10, 11, 12].map((index) => ({ index, term: 7, command: Buffer.alloc(30) }));

      const result = await stage.settle(peer.appendEntries({ ...APPEND, leaderCommit: 99, entries }));

      expect(result.ok).toBe(true);
      expect(heard).toEqual([
        { prevLogIndex: 9, leaderCommit: 11, indexes: [10, 11] },
        { prevLogIndex: 11, leaderCommit: 12, indexes: [12] },
      ]);
    });

    it("settles as a timeout when a handler hangs, after 100 ms or what the options say", async () => {
      const requestVote = ({ term }: { term: number }) =>
        term === 0 ? { term, voteGranted: false } : never();
      const handler = { requestVote, appendEntries: never, installSnapshot: never };
      const peer = await stage.peer({ handler, options: { snapshotTimeoutMs: 200 } });
      let isConnected = false;
      while (!isConnected) isConnected = (await stage.settle(peer.requestVote({ ...VOTE, term: 0 }))).ok;

      const results = await stage.settle(
        Promise.all([peer.requestVote(VOTE), peer.appendEntries(APPEND), peer.installSnapshot(SNAPSHOT)]),
      );

      for (const [at, limitMs] of [100, 100, 200].entries()) {
        expect(results[at]).toMatchObject({ ok: false, kind: "timeout", code: status.DEADLINE_EXCEEDED });
        expect(results[at]).toMatchObject({ processed: "maybe" });
        expect(results[at]?.ms).toBeGreaterThanOrEqual(limitMs - (stage.slackMs > 0 ? 1 : 0));
        expect(results[at]?.ms).toBeLessThanOrEqual(limitMs + stage.slackMs);
      }
    });

    it("settles as unreachable where nobody listens, and says that nothing ran", async () => {
      const peer = await stage.lonelyPeer(PATIENT);

      const result = await stage.settle(peer.requestVote(VOTE));

      expect(result).toMatchObject({
        ok: false,
        kind: "unreachable",
        code: status.UNAVAILABLE,
        processed: "no",
      });
    });

    it("settles as rejected, with the server's code and words, when a handler throws or talks rubbish", async () => {
      const handler = {
        requestVote: () => {
          throw new Error("disk full");
        },
        appendEntries: () => Promise.reject(Object.assign(new Error("stopping"), { code: status.ABORTED })),
        installSnapshot: () => ({ term: "three" }) as never,
      };
      const peer = await stage.peer({ handler, options: PATIENT });

      const results = [
        await stage.settle(peer.requestVote(VOTE)),
        await stage.settle(peer.appendEntries(APPEND)),
        await stage.settle(peer.installSnapshot(SNAPSHOT)),
      ];

      expect(results).toMatchObject([
        {
          kind: "rejected",
          code: status.INTERNAL,
          reason: "REMOTE",
          details: expect.stringContaining("disk full"),
        },
        { kind: "rejected", code: status.ABORTED, details: expect.stringContaining("stopping") },
        { kind: "rejected", code: status.INTERNAL, details: expect.stringContaining("three") },
      ]);
    });

    it("settles as rejected when the server cannot decode a command, and its core never sees it", async () => {
      const heard: unknown[] = [];
      const appendEntries = (request: unknown) => {
        heard.push(request);
        return { term: 1, success: true, conflictIndex: 0, conflictTerm: 0 };
      };
      const commandCodec = { encode: () => Buffer.from("{"), decode: json.decode };
      const peer = await stage.peer<unknown>({ handler: { appendEntries }, commandCodec, options: PATIENT });

      const result = await stage.settle(
        peer.appendEntries({ ...APPEND, entries: [{ index: 1, term: 1, command: 1 }] }),
      );

      expect(result).toMatchObject({ kind: "rejected", code: status.INVALID_ARGUMENT });
      expect(heard).toEqual([]);
    });

    it("tells each term that is higher than all before", async () => {
      const terms = [3, 3, 2, 0, 5];
      const requestVote = () => ({ term: terms.shift() ?? 0, voteGranted: false });
      const peer = await stage.peer({ handler: { requestVote }, options: PATIENT });
      const heard: unknown[] = [];
      peer.onTerm((term, address) => heard.push([term, address]));

      for (let call = 0; call < 5; call++) await stage.settle(peer.requestVote(VOTE));

      expect(heard).toEqual([
        [3, peer.address],
        [5, peer.address],
      ]);
    });

    it("ends calls in flight as closed when it is closed, and refuses later ones the same way", async () => {
      let arrived = (): void => {};
      const inHandler = new Promise<void>((resolve) => {
        arrived = resolve;
      });
      const requestVote = () => {
        arrived();
        return never();
      };
      const peer = await stage.peer({ handler: { requestVote }, options: { voteTimeoutMs: 60_000 } });
      const running = peer.requestVote(VOTE);
      await stage.settle(inHandler);

      await Promise.all([peer.close(), peer.close()]);
      const [ended, refused] = [await running, await stage.settle(peer.appendEntries(APPEND))];

      expect(ended).toMatchObject({ ok: false, kind: "closed", code: status.CANCELLED });
      expect(refused).toMatchObject({ ok: false, kind: "closed", processed: "no" });
    });

    it("is closed without a call ever made", async () => {
      const peer = await stage.peer();

      await peer.close();

      expect(await stage.settle(peer.requestVote(VOTE))).toMatchObject({ kind: "closed" });
    });
  });
}

const json: CommandCodec<unknown> = {
  encode: (command) => Buffer.from(JSON.stringify(command)),
  decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()),
};
