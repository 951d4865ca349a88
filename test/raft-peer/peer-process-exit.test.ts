import { describe, expect, it } from "vitest";
import { runToEnd } from "../support/finished-process.js";
import { Stage } from "../support/stage.js";
import { RaftServer } from "./raft-server.js";

const stage = new Stage();
const here = (path: string): string => JSON.stringify(new URL(path, import.meta.url).href);
const PRELUDE = `
  import { createRaftPeer } from ${here("../../src/raft-peer/index.ts")};
  const VOTE = { term: 7, candidateId: 2, lastLogIndex: 9, lastLogTerm: 6 };
  const PATIENT = { insecure: true, voteTimeoutMs: 5_000 };`;
/** Far longer than ending takes, far shorter than anything that would hold a process by mistake. */
const LINGER_MS = 3_000;

describe("a process with a peer", () => {
  it("ends by itself once the peer is closed, with a call in flight", async () => {
    let asked = 0;
    const requestVote = () => (asked++ === 0 ? { term: 1, voteGranted: true } : new Promise<never>(() => {}));
    const { address } = stage.use(await RaftServer.start({ requestVote }));
    const source = `${PRELUDE}
      const peer = createRaftPeer("${address}", { ...PATIENT, voteTimeoutMs: 60_000 });
      const first = await peer.requestVote(VOTE);
      const second = peer.requestVote(VOTE);
      await peer.close();
      console.log(first.ok, (await second).kind, "done");`;

    const { printed, exitCode } = await runToEnd(source, LINGER_MS);

    expect(printed).toContain("true closed done");
    expect(exitCode).toBe(0);
  });

  it("stays until a failure that is held back is told, and survives rubbish", async () => {
    const source = `${PRELUDE}
      const peer = createRaftPeer("127.0.0.1:1", { ...PATIENT, minFailureMs: 100 });
      void peer.requestVote(null).then(async ({ kind }) => {
        console.log(kind, (await peer.appendEntries({ entries: [null] })).kind, "done");
      });`;

    const { printed, exitCode } = await runToEnd(source, LINGER_MS);

    expect(printed).toContain("invalid invalid done");
    expect(exitCode).toBe(0);
  });
});
