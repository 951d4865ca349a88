import { status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { codecOr } from "../../src/raft-peer/command-codec.js";
import { LinkedPeer } from "../../src/raft-peer/linked-peer.js";
import type { CommandCodec } from "../../src/raft-peer/raft-messages.js";
import { type LinkedPeerOptions, linkedPeerOptionsSchema } from "../../src/raft-peer/raft-peer-options.js";
import { ManualClock } from "../support/manual-clock.js";
import { failure, ScriptedLink } from "./scripted-link.js";

const VOTE = { term: 7, candidateId: 2, lastLogIndex: 9, lastLogTerm: 6 };
const APPEND = { term: 7, leaderId: 1, prevLogIndex: 9, prevLogTerm: 6, leaderCommit: 8, entries: [] };
const SNAPSHOT = { term: 7, leaderId: 1, lastIncludedIndex: 9, lastIncludedTerm: 6, data: Buffer.alloc(0) };
const granted = (term = 7n) => ({ term, voteGranted: true });
const appended = (success = true) => ({ term: 7n, success, conflictIndex: 0n, conflictTerm: 0n });
const entries = (count: number, bytes: number) =>
  Array.from({ length: count }, (_, at) => ({ index: 10 + at, term: 7, command: Buffer.alloc(bytes, 1) }));

function peerOver<C = Uint8Array>(
  link: ScriptedLink,
  options: LinkedPeerOptions = {},
  codec?: CommandCodec<C>,
) {
  const clock = new ManualClock();
  const parts = { clock, codec: codecOr(codec) };
  return { clock, peer: new LinkedPeer<C>(link, linkedPeerOptionsSchema.parse(options), parts) };
}

/** Whether a promise has settled, without waiting for it. */
function watch(promise: Promise<unknown>): { settled: boolean } {
  const seen = { settled: false };
  void promise.then(() => {
    seen.settled = true;
  });
  return seen;
}

describe("a call to a peer", () => {
  it("has eraft's limits of 100 ms, 100 ms and 1 s, and others where they are set", async () => {
    const link = new ScriptedLink(({ method }) => (method === "AppendEntries" ? appended() : granted()));
    const own = { voteTimeoutMs: 1, appendTimeoutMs: 2, snapshotTimeoutMs: 3 };

    for (const options of [{}, own]) {
      const { peer } = peerOver(link, options);
      await peer.requestVote(VOTE);
      await peer.appendEntries(APPEND);
      await peer.installSnapshot(SNAPSHOT);
    }

    expect(link.calls.map(({ method, timeoutMs }) => `${method} ${timeoutMs}`)).toEqual([
      "RequestVote 100",
      "AppendEntries 100",
      "InstallSnapshot 1000",
      "RequestVote 1",
      "AppendEntries 2",
      "InstallSnapshot 3",
    ]);
  });

  it("gives a snapshot the time its bytes take at the slowest rate that must do", async () => {
    const link = new ScriptedLink(() => granted());
    const { peer } = peerOver(link, { snapshotMinBytesPerSecond: 1_000_000 });
    const { length } = "term, leader, index, term, tag and length";

    await peer.installSnapshot({ ...SNAPSHOT, data: Buffer.alloc(2_000_000) });

    const [call] = link.calls;
    expect(call?.timeoutMs).toBeGreaterThan(3_000);
    expect(call?.timeoutMs).toBeLessThan(3_000 + length);
  });

  it("encodes the request before it returns, so that the caller may go on using it", async () => {
    const link = new ScriptedLink(() => granted());
    const { peer } = peerOver(link);
    const request = { ...VOTE };

    const result = peer.requestVote(request);
    request.term = 99;
    await result;

    expect(link.calls[0]?.request).toMatchObject({ term: 7n });
  });

  it("answers with the time it took", async () => {
    const link = new ScriptedLink(() => "hang");
    const { peer, clock } = peerOver(link);

    const result = peer.requestVote(VOTE);
    await clock.advance(42);
    await peer.close();

    expect(await result).toMatchObject({ ok: false, kind: "closed", ms: 42 });
  });
});

describe("a request that makes no sense", () => {
  const rubbish: unknown[] = [
    null,
    undefined,
    5,
    "x",
    {},
    { ...VOTE, term: "7" },
    { ...VOTE, term: 2 ** 53 },
    { ...VOTE, lastLogIndex: Number.NaN },
    {
      get term() {
        throw Object.create(null);
      },
    },
  ];

  it.each(rubbish)("fails as invalid and is not sent: vote %#", async (request) => {
    const link = new ScriptedLink(() => granted());
    const { peer } = peerOver(link, { minFailureMs: 0 });

    const result = await peer.requestVote(request as typeof VOTE);

    expect(result).toMatchObject({ ok: false, kind: "invalid", code: status.INTERNAL, processed: "no" });
    expect(link.calls).toEqual([]);
  });

  const bytes = { index: 1, term: 1, command: "not bytes" };
  const lists: unknown[] = [null, undefined, 5, "ab", {}, [null], [5], [{}], [bytes]];
  it.each(lists)("fails as invalid and is not sent: entries %#", async (list) => {
    const link = new ScriptedLink(() => appended());
    const { peer } = peerOver(link, { minFailureMs: 0 });
    const coded = peerOver(link, { minFailureMs: 0 }, { encode: () => Buffer.from("x"), decode: () => null });
    const request = { ...APPEND, entries: list } as typeof APPEND;

    const results = [await peer.appendEntries(request), await coded.peer.appendEntries(request)];

    expect(results[0]).toMatchObject({ ok: false, kind: "invalid" });
    // With a codec the command may be anything.
    if ((list as unknown[])?.[0] !== bytes) expect(results[1]).toMatchObject({ ok: false, kind: "invalid" });
  });

  it("says which field is wrong, its value and what is allowed", async () => {
    const { peer } = peerOver(new ScriptedLink(() => granted()), { minFailureMs: 0 });

    const result = await peer.requestVote({ ...VOTE, lastLogTerm: 1.5 });

    expect(result).toMatchObject({
      details: expect.stringMatching(/10\.0\.0\.1:5001 .*lastLogTerm is 1\.5; allowed: an integer/),
    });
  });
});

describe("a command codec", () => {
  const json: CommandCodec<unknown> = {
    encode: (command) => Buffer.from(JSON.stringify(command)),
    decode: (bytes) => JSON.parse(String(bytes)),
  };
  const broken = (encode: () => unknown) => ({ ...json, encode: encode as () => Uint8Array });

  it("makes the bytes of each entry", async () => {
    const link = new ScriptedLink(() => appended());
    const { peer } = peerOver(link, {}, json);

    await peer.appendEntries({ ...APPEND, entries: [{ index: 10, term: 7, command: { set: 1 } }] });

    expect(link.calls[0]?.request.entries).toEqual([
      { index: 10n, term: 7n, command: Buffer.from('{"set":1}') },
    ]);
  });

  it.each([
    ["throws", broken(() => expect.unreachable("broken codec"))],
    [
      "throws nothing with a text",
      broken(() => {
        throw Object.create(null);
      }),
    ],
    ["makes a string", broken(() => "text")],
    ["makes nothing", broken(() => undefined)],
  ])("that %s fails the call; an empty command is never sent in place of one", async (_what, codec) => {
    const link = new ScriptedLink(() => appended());
    const { peer } = peerOver(link, { minFailureMs: 0 }, codec);

    const result = await peer.appendEntries({ ...APPEND, entries: [{ index: 10, term: 7, command: 1 }] });

    expect(result).toMatchObject({ ok: false, kind: "invalid", processed: "no" });
    expect(link.calls).toEqual([]);
  });
});

describe("a reply that makes no sense", () => {
  it("is malformed when a number does not fit, and says that the server did run the call", async () => {
    const { peer } = peerOver(new ScriptedLink(() => granted(2n ** 53n)), { minFailureMs: 0 });
    const terms: number[] = [];
    peer.onTerm((term) => terms.push(term));

    const result = await peer.requestVote(VOTE);

    expect(result).toMatchObject({ ok: false, kind: "malformed", processed: "yes", attempts: [] });
    expect(result).toMatchObject({ details: expect.stringContaining("term is 9007199254740992; allowed") });
    expect(terms).toEqual([]);
  });
});

describe("a request over the size limit", () => {
  it("goes out part by part, each after the answer to the one before, and answers as the last", async () => {
    const link = new ScriptedLink(() => ({ ...appended(), term: BigInt(10 + link.calls.length) }));
    const { peer } = peerOver(link, { maxAppendBytes: 100 });

    const result = await peer.appendEntries({ ...APPEND, leaderCommit: 100, entries: entries(3, 60) });

    expect(link.calls.map(({ request }) => [request.prevLogIndex, request.leaderCommit])).toEqual([
      [9n, 10n],
      [10n, 11n],
      [11n, 12n],
    ]);
    expect(result).toMatchObject({ ok: true, reply: { term: 13 } });
  });

  it("stops at the first part that is refused, and answers with that refusal", async () => {
    const link = new ScriptedLink(() => appended(link.calls.length < 2));
    const { peer } = peerOver(link, { maxAppendBytes: 100 });

    const result = await peer.appendEntries({ ...APPEND, entries: entries(3, 60) });

    expect(link.calls).toHaveLength(2);
    expect(result).toMatchObject({ ok: true, reply: { success: false } });
  });

  it.each([
    [1, "no", "no"],
    [1, "yes", "maybe"],
    [2, "no", "maybe"],
    [2, "maybe", "maybe"],
    [3, "no", "maybe"],
    [3, "yes", "yes"],
  ] as const)(
    "that fails at part %d of 3 with processed %s says %s of the whole",
    async (part, said, whole) => {
      const link = new ScriptedLink(() =>
        link.calls.length < part ? appended() : failure("unreachable", { processed: said }),
      );
      const { peer } = peerOver(link, { maxAppendBytes: 100, minFailureMs: 0 });

      const result = await peer.appendEntries({ ...APPEND, entries: entries(3, 60) });

      expect(link.calls).toHaveLength(part);
      expect(result).toMatchObject({ kind: "unreachable", processed: whole });
      expect(result).toMatchObject({ details: `part ${part} of 3: connection refused` });
    },
  );

  it("is refused whole when one entry alone is too large: nothing is sent", async () => {
    const link = new ScriptedLink(() => appended());
    const { peer } = peerOver(link, { maxAppendBytes: 100, minFailureMs: 0 });

    const result = await peer.appendEntries({ ...APPEND, entries: [...entries(2, 60), ...entries(1, 100)] });

    expect(result).toMatchObject({ kind: "too-large", code: status.RESOURCE_EXHAUSTED, processed: "no" });
    expect(result).toMatchObject({
      details: expect.stringMatching(/entries\[2\].* 1\d\d bytes.*allows 100$/),
    });
    expect(link.calls).toEqual([]);
  });

  it("is refused when it is a snapshot, which the wire cannot cut; one of exactly the limit goes", async () => {
    const link = new ScriptedLink(() => granted());
    const { peer } = peerOver(link, { maxSnapshotBytes: 4_194_304, minFailureMs: 0 });
    const headerBytes = 4 * 2 + 1 + 4;

    const fits = await peer.installSnapshot({ ...SNAPSHOT, data: Buffer.alloc(4_194_304 - headerBytes) });
    const over = await peer.installSnapshot({ ...SNAPSHOT, data: Buffer.alloc(4_194_305 - headerBytes) });

    expect([fits.ok, link.calls.length]).toEqual([true, 1]);
    expect(over).toMatchObject({ kind: "too-large", processed: "no" });
    expect(over).toMatchObject({
      details: expect.stringMatching(/4194305 bytes; maxSnapshotBytes allows 4194304$/),
    });
  });
});

describe("the terms a peer shows", () => {
  it("reach the listener when they rise, from every method, and with the address; never when they do not", async () => {
    const terms = [0n, 5n, 5n, 4n, 0n, 9n, -3n, 2n ** 53n - 1n];
    const link = new ScriptedLink(() => ({ ...appended(), ...granted(terms.shift()) }));
    const { peer } = peerOver(link, { minFailureMs: 0 });
    const heard: unknown[] = [];
    peer.onTerm((term, address) => heard.push([term, address]));

    for (let round = 0; terms.length > 0; round++) {
      await [peer.requestVote(VOTE), peer.appendEntries(APPEND), peer.installSnapshot(SNAPSHOT)][round % 3];
    }

    expect(heard).toEqual([5, 9, 2 ** 53 - 1].map((term) => [term, "10.0.0.1:5001"]));
  });

  it("are heard of every part of a request", async () => {
    const link = new ScriptedLink(() => ({ ...appended(), term: BigInt(10 + link.calls.length) }));
    const { peer } = peerOver(link, { maxAppendBytes: 100 });
    const heard: number[] = [];
    peer.onTerm((term) => heard.push(term));

    await peer.appendEntries({ ...APPEND, entries: entries(3, 60) });

    expect(heard).toEqual([11, 12, 13]);
  });

  it("are not told any more to a listener that was disposed", async () => {
    const { peer } = peerOver(new ScriptedLink(() => granted()));
    const heard: number[] = [];
    peer.onTerm((term) => heard.push(term)).dispose();

    await peer.requestVote(VOTE);

    expect(heard).toEqual([]);
  });

  it("lose nothing by a listener that throws: the reply comes, others hear, and one warning is written", async () => {
    const warned = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
    const link = new ScriptedLink(() => granted(BigInt(link.calls.length)));
    const { peer } = peerOver(link);
    const heard: number[] = [];
    peer.onTerm(() => {
      throw new Error("broken listener");
    });
    peer.onTerm((term) => heard.push(term));

    const results = [await peer.requestVote(VOTE), await peer.requestVote(VOTE)];

    expect(results.map(({ ok }) => ok)).toEqual([true, true]);
    expect(heard).toEqual([1, 2]);
    expect(warned).toHaveBeenCalledTimes(1);
    warned.mockRestore();
  });
});

describe("a failure that comes at once", () => {
  it("is told 10 ms after the call began, while a success is not held back", async () => {
    const link = new ScriptedLink(() => (link.calls.length === 1 ? failure() : granted()));
    const { peer, clock } = peerOver(link);
    const [failing, fine] = [watch(peer.requestVote(VOTE)), watch(peer.requestVote(VOTE))];

    await clock.advance(9);
    expect([failing.settled, fine.settled]).toEqual([false, true]);

    await clock.advance(1);
    expect(failing.settled).toBe(true);
  });

  it("keeps the process alive until it is told, and leaves no timer", async () => {
    const { peer, clock } = peerOver(new ScriptedLink(() => failure()));
    const result = peer.requestVote(VOTE);
    await clock.advance(5);
    expect(clock.keepAliveTimers).toBe(1);

    await clock.advance(5);

    expect(await result).toMatchObject({ kind: "unreachable", ms: 0 });
    expect(clock.pendingTimers).toBe(0);
  });

  it("is held for the rest only when it took some time by itself, and not at all when that is enough", async () => {
    for (const [takenMs, restMs] of [
      [7, 3],
      [10, 0],
      [50, 0],
    ] as const) {
      const link = new ScriptedLink(() => "hang");
      const { peer, clock } = peerOver(link);
      const call = watch(peer.requestVote(VOTE));
      await clock.advance(takenMs);
      link.fail();
      await clock.advance(Math.max(0, restMs - 1));
      expect(call.settled).toBe(restMs === 0);
      await clock.advance(1);
      expect(call.settled).toBe(true);
    }
  });

  it("lets a caller that repeats at once make 20 calls in 200 ms, whatever fails, closing included", async () => {
    const failing = {
      refused: () => failure(),
      "an open breaker": () => failure("unreachable", { reason: "CIRCUIT_OPEN" }),
      "a malformed reply": () => granted(2n ** 60n),
    };
    const loops: Record<string, (peer: LinkedPeer<Uint8Array>) => Promise<unknown>> = {
      vote: (peer) => peer.requestVote(VOTE),
      invalid: (peer) => peer.requestVote(null as never),
      closed: async (peer) => {
        await peer.close();
        return peer.requestVote(VOTE);
      },
    };
    for (const answer of Object.values(failing)) {
      for (const once of Object.values(loops)) {
        const { peer, clock } = peerOver(new ScriptedLink(answer));
        let calls = 0;
        const endAt = clock.now() + 200;
        const loop = (async () => {
          for (; clock.now() < endAt; calls++) await once(peer);
        })();
        await clock.advance(200);
        await loop;
        expect(calls).toBe(20);
      }
    }
  });

  it("is told at once when minFailureMs is 0", async () => {
    const { peer, clock } = peerOver(new ScriptedLink(() => failure()), { minFailureMs: 0 });

    expect(await peer.requestVote(VOTE)).toMatchObject({ kind: "unreachable" });
    expect(clock.pendingTimers).toBe(0);
  });
});

describe("closing a peer", () => {
  it("ends calls in flight as closed, at once", async () => {
    const { peer, clock } = peerOver(new ScriptedLink(() => "hang"));
    const results = [peer.requestVote(VOTE), peer.appendEntries(APPEND), peer.installSnapshot(SNAPSHOT)];

    await peer.close();

    for (const result of results) expect(await result).toMatchObject({ ok: false, kind: "closed" });
    expect(clock.pendingTimers).toBe(0);
  });

  it("tells failures that were held back, at once", async () => {
    const { peer, clock } = peerOver(new ScriptedLink(() => failure()));
    const result = peer.requestVote(VOTE);
    await clock.advance(1);

    await peer.close();

    expect(await result).toMatchObject({ kind: "unreachable" });
    expect(clock.pendingTimers).toBe(0);
  });

  it("refuses later calls as closed, without asking the link", async () => {
    const link = new ScriptedLink(() => granted());
    const { peer, clock } = peerOver(link);
    await peer.close();

    const result = peer.requestVote(VOTE);
    await clock.advance(10);

    expect(await result).toMatchObject({ kind: "closed", code: status.CANCELLED, reason: "CLIENT_CLOSED" });
    expect(link.calls).toEqual([]);
  });

  it("sends no further part of a request that it ends", async () => {
    const link = new ScriptedLink(() => (link.closings > 0 ? failure("closed") : appended()));
    const { peer } = peerOver(link, { maxAppendBytes: 100 });

    const result = peer.appendEntries({ ...APPEND, entries: entries(50, 60) });
    await peer.close();

    expect(await result).toMatchObject({ kind: "closed", processed: "maybe" });
    expect(link.calls.length).toBeLessThan(5);
  });

  it("may be done again, and closes the link once", async () => {
    const link = new ScriptedLink(() => granted());
    const { peer } = peerOver(link);

    await Promise.all([peer.close(), peer.close()]);
    await peer.close();

    expect(link.closings).toBe(1);
  });

  it("lets calls finish within drainMs when that is given, and ends them then", async () => {
    for (const answersMs of [30, 60]) {
      const link = new ScriptedLink(() => "hang");
      const { peer, clock } = peerOver(link);
      const result = peer.requestVote(VOTE);
      const closing = peer.close({ drainMs: 50 });
      await clock.advance(answersMs === 30 ? 30 : 49);
      expect(link.closings).toBe(0);

      if (answersMs === 30) link.succeed(granted());
      else await clock.advance(1);
      await closing;

      expect(await result).toMatchObject(answersMs === 30 ? { ok: true } : { kind: "closed" });
      expect([link.closings, clock.pendingTimers]).toEqual([1, 0]);
    }
  });

  it("ends calls now when a peer that drains is destroyed", async () => {
    const { peer, clock } = peerOver(new ScriptedLink(() => "hang"));
    const result = peer.requestVote(VOTE);
    const closing = peer.close({ drainMs: 5_000 });

    peer.destroy();

    expect(await result).toMatchObject({ kind: "closed" });
    await closing;
    expect(clock.pendingTimers).toBe(0);
  });
});
