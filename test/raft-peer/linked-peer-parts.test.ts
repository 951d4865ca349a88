import { status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { APPEND, appended, entries, granted, peerOver, SNAPSHOT, VOTE } from "./linked-peers.js";
import { failure, ScriptedLink } from "./scripted-link.js";

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
