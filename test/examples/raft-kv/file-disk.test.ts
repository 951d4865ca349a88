import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, expect, it } from "vitest";
import { FileDisk } from "../../../examples/raft-kv/raft/file-disk.js";
import { RaftStorage } from "../../../examples/raft-kv/raft/raft-storage.js";
import { entry } from "./entries.js";

const folder = mkdtempSync(join(tmpdir(), "holdfast-test-"));
const path = join(folder, "missing", "folders", "raft.log");

afterEach(() => rmSync(folder, { recursive: true, force: true }));

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
