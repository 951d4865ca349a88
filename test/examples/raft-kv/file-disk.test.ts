import { mkdtempSync, rmSync, statSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { FileDisk, MAX_FILE_BYTES } from "../../../examples/raft-kv/raft/file-disk.js";
import { RaftNode } from "../../../examples/raft-kv/raft/raft-node.js";
import { RaftStorage } from "../../../examples/raft-kv/raft/raft-storage.js";
import { ManualClock } from "../../support/manual-clock.js";
import { SeededRandom } from "../../support/seeded-random.js";
import { entry } from "./entries.js";

const folder = mkdtempSync(join(tmpdir(), "holdfast-test-"));
const path = join(folder, "missing", "folders", "raft.log");

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** The file with this many bytes, which take no room on a file system with holes. */
function sized(bytes: number): FileDisk {
  new FileDisk(path).close();
  truncateSync(path, bytes);
  return new FileDisk(path);
}

it("keeps what one process wrote for the next, in folders it makes", () => {
  const disk = new FileDisk(path);
  disk.append(Buffer.from("kept and cut"));
  disk.truncate(4);
  disk.append(Buffer.from("!"));
  disk.sync();
  disk.close();

  const again = new FileDisk(path);

  expect(Buffer.from(again.read()).toString()).toBe("kept!");
  again.close();
});

it("gives a log back, and cuts a torn record off", () => {
  const disk = new FileDisk(path);
  const storage = new RaftStorage(disk);
  storage.load();
  storage.save({ term: 7, votedFor: 1 }, [entry(1, 7)]);
  disk.append(Uint8Array.of(0, 0, 0, 9, 1, 2));
  storage.close();

  const again = new RaftStorage(new FileDisk(path));

  expect(again.load()).toEqual({ term: 7, votedFor: 1, entries: [entry(1, 7)], cutBytes: 6 });
  expect(again.bytes).toBe(storage.bytes);
  again.close();
});

it("refuses what would make the file too long to be loaded again, and writes none of it", () => {
  const disk = sized(MAX_FILE_BYTES - 3);
  disk.append(Buffer.from("ab"));

  expect(() => disk.append(Buffer.from("cd"))).toThrow(
    `raft.log is full: it has ${MAX_FILE_BYTES - 1} bytes and would grow by 2; allowed: ${MAX_FILE_BYTES},`,
  );

  expect(statSync(path).size).toBe(MAX_FILE_BYTES - 1);
  disk.append(Buffer.from("c"));
  disk.close();
});

it("stops a node whose log is full, and says why", () => {
  const disk = sized(MAX_FILE_BYTES);
  disk.read = () => new Uint8Array();
  disk.truncate = () => {};
  const fatal: Error[] = [];
  const raft = new RaftNode({
    ...{ me: 0, peers: [null, null, null], disk, clock: new ManualClock(), random: new SeededRandom(1) },
    apply: () => {},
    onFatal: (error) => fatal.push(error),
  });
  raft.start();

  expect(() => raft.requestVote({ term: 1, candidateId: 1, lastLogIndex: 0, lastLogTerm: 0 })).toThrow(
    "is full",
  );

  expect(fatal.map(String)).toEqual([expect.stringContaining("raft.log is full")]);
});
