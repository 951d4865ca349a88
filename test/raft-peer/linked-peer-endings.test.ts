import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { LinkedPeer } from "../../src/raft-peer/linked-peer.js";
import { APPEND, appended, entries, granted, peerOver, SNAPSHOT, VOTE, watch } from "./linked-peers.js";
import { failure, ScriptedLink } from "./scripted-link.js";

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
          for (; clock.now() < endAt && calls < 1_000; calls++) await once(peer);
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
