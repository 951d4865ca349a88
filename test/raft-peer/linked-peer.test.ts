import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { CommandCodec } from "../../src/raft-peer/raft-messages.js";
import { APPEND, appended, granted, peerOver, SNAPSHOT, VOTE } from "./linked-peers.js";
import { ScriptedLink } from "./scripted-link.js";

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
    expect(call?.timeoutMs).toBeGreaterThanOrEqual(3_000);
    expect(call?.timeoutMs).toBeLessThan(3_000 + length);
  });

  it.each([
    [undefined, [100, 1_100]],
    [1_000_000, [100, 4_100]],
    [null, [100, 100]],
  ])(
    "gives each part of a batch the time its bytes take, and a small one no more than the limit: rate %s",
    async (rate, expected) => {
      const link = new ScriptedLink(() => appended());
      const { peer } = peerOver(link, rate === undefined ? {} : { appendMinBytesPerSecond: rate });
      const large = [{ index: 1, term: 1, command: Buffer.alloc(4_000_000) }];

      await peer.appendEntries({ ...APPEND, entries: [] });
      await peer.appendEntries({ ...APPEND, entries: large });

      expect(link.calls.map(({ timeoutMs }) => timeoutMs)).toEqual(expected);
    },
  );

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
  it.each(lists.map((list) => ({ list })))(
    "fails as invalid and is not sent: entries %#",
    async ({ list }) => {
      const link = new ScriptedLink(() => appended());
      const { peer } = peerOver(link, { minFailureMs: 0 });
      const coded = peerOver(
        link,
        { minFailureMs: 0 },
        { encode: () => Buffer.from("x"), decode: () => null },
      );
      const request = { ...APPEND, entries: list } as typeof APPEND;

      const results = [await peer.appendEntries(request), await coded.peer.appendEntries(request)];

      expect(results[0]).toMatchObject({ ok: false, kind: "invalid" });
      const said = expect.stringMatching(
        Array.isArray(list) ? /cannot be encoded/ : /entries is .*; allowed: an array$/,
      );
      // With a codec the command may be anything.
      if ((list as unknown[])?.[0] !== bytes)
        expect(results[1]).toMatchObject({ ok: false, kind: "invalid", details: said });
    },
  );

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
