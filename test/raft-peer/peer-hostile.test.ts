/** What nobody should hand to a peer or throw at a server, and somebody will. */
import { credentials, type ServiceError, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import * as wire from "../../src/gen/raftpb/raft.js";
import { checkPeerOptions } from "../../src/raft-peer/check-raft-peer.js";
import type { RaftHandler } from "../../src/raft-peer/index.js";
import { addRaftService, raftMethods } from "../../src/raft-peer/raft-service.js";
import { ServedFailure } from "../../src/raft-peer/served-service.js";
import { Stage } from "../support/stage.js";
import { APPEND, appended, entries, peerOver, VOTE } from "./linked-peers.js";
import { failure, ScriptedLink } from "./scripted-link.js";
import { serve } from "./served-server.js";

const stage = new Stage();

describe("a peer never throws", () => {
  it("takes a hole among the entries for a request that cannot be encoded", async () => {
    const [first, , third] = entries(3, 60);
    const holed = [first!, first!, third!];
    delete holed[1];
    const link = new ScriptedLink(() => appended());
    const { peer } = peerOver(link, { maxAppendBytes: 100, minFailureMs: 0 });

    const result = await peer.appendEntries({ ...APPEND, entries: holed });

    expect(result).toMatchObject({ ok: false, kind: "invalid", processed: "no" });
    expect(link.calls).toEqual([]);
  });

  it("takes a link that throws for a failure, and closes in no time after it", async () => {
    const link = new ScriptedLink(() => {
      throw new Error("out of sockets");
    });
    const { peer } = peerOver(link, { minFailureMs: 0 });

    const result = await peer.requestVote(VOTE);
    await peer.close({ drainMs: 60_000 });

    expect(result).toMatchObject({ ok: false, kind: "invalid", processed: "maybe" });
    expect(result).toMatchObject({ details: expect.stringContaining("out of sockets") });
  });

  it("hears of a term in a reply that cannot be taken for another of its fields", async () => {
    const link = new ScriptedLink(() => ({ ...appended(), term: 99n, conflictIndex: 2n ** 60n }));
    const { peer } = peerOver(link, { minFailureMs: 0 });
    const terms: number[] = [];
    peer.onTerm((term) => terms.push(term));

    const result = await peer.appendEntries(APPEND);

    expect(result).toMatchObject({ ok: false, kind: "malformed" });
    expect(terms).toEqual([99]);
  });
});

describe("a batch that fails half-way", () => {
  it("tells the last entry that was taken, so that the next one can begin there", async () => {
    const link = new ScriptedLink(() => (link.calls.length < 3 ? appended() : failure("timeout")));
    const { peer } = peerOver(link, { appendPartBytes: 100, minFailureMs: 0 });

    const result = await peer.appendEntries({ ...APPEND, entries: entries(4, 60) });

    expect(result).toMatchObject({ ok: false, kind: "timeout", acceptedIndex: 11 });
  });

  it("tells nothing of the kind when its first part failed", async () => {
    const { peer } = peerOver(new ScriptedLink(() => failure("timeout")), {
      appendPartBytes: 100,
      minFailureMs: 0,
    });

    expect(await peer.appendEntries({ ...APPEND, entries: entries(2, 60) })).not.toHaveProperty(
      "acceptedIndex",
    );
  });

  it("goes in parts of half a MiB unless told otherwise, and a larger entry alone", async () => {
    const link = new ScriptedLink(() => appended());
    const { peer } = peerOver(link);

    await peer.appendEntries({ ...APPEND, entries: [...entries(3, 250_000), ...entries(1, 3_000_000)] });

    const sizes = link.calls.map(({ request }) =>
      request.entries.map((each: wire.Entry) => each.command.length),
    );
    expect(sizes).toEqual([[250_000, 250_000], [250_000], [3_000_000]]);
  });
});

describe("a dial", () => {
  it.each([
    ["the preset's limit", {}, undefined],
    ["as much time as the calls of a peer far away", { voteTimeoutMs: 3_000 }, 3_000],
    ["what the user says", { voteTimeoutMs: 3_000, channel: { connectTimeoutMs: 900 } }, 900],
  ])("is given %s", (_, options, expected) => {
    const problems: string[] = [];

    const checked = checkPeerOptions({ insecure: true, ...options }, problems);

    expect(problems).toEqual([]);
    expect(checked?.channel.connectTimeoutMs).toBe(expected);
  });
});

const unreadable: readonly (readonly [string, () => unknown])[] = [
  [
    "an error whose code cannot be read",
    () => ({
      get code() {
        throw new Error("\ud800");
      },
    }),
  ],
  ["an error whose message is an object", () => Object.assign(new Error("x"), { message: { a: 1 } })],
  [
    "something that cannot be shown",
    () => ({
      [Symbol.for("nodejs.util.inspect.custom")]() {
        throw new Error("\ud800");
      },
    }),
  ],
  ["nothing at all", () => undefined],
  ["half a surrogate pair", () => "\ud800"],
];

describe("a server lives on when its handler throws", () => {
  it.each(unreadable)("%s", async (_, thrown) => {
    const handler = {
      requestVote: () => {
        throw thrown();
      },
      appendEntries: () => ({ term: 1, success: true, conflictIndex: 0, conflictTerm: 0 }),
      installSnapshot: () => ({ term: 1 }),
    } satisfies RaftHandler;
    const server = stage.use(await serve((grpcServer) => addRaftService(grpcServer, handler)));
    const client = stage.use(new wire.RaftServiceClient(server.address, credentials.createInsecure()));
    const vote = { term: 7n, candidateId: 2n, lastLogIndex: 9n, lastLogTerm: 6n };

    const error = await new Promise<ServiceError | null>((resolve) =>
      client.requestVote(vote, (e) => resolve(e)),
    );

    expect(error?.code).toBe(status.INTERNAL);
  });

  it.each(unreadable)("with a failure in memory as well: %s", async (_, thrown) => {
    const handler = {
      requestVote: () => Promise.reject(thrown()),
      appendEntries: () => ({ term: 1, success: true, conflictIndex: 0, conflictTerm: 0 }),
      installSnapshot: () => ({ term: 1 }),
    } satisfies RaftHandler;
    const [vote] = raftMethods(handler).filter(({ definition }) => definition.path.endsWith("RequestVote"));

    const rejected = vote!.handle({ term: 7n, candidateId: 2n, lastLogIndex: 9n, lastLogTerm: 6n });

    await expect(rejected).rejects.toBeInstanceOf(ServedFailure);
  });
});
