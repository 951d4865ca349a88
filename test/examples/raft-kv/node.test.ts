import { appendFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, it } from "vitest";
import { FileDisk } from "../../../examples/raft-kv/raft/file-disk.js";
import { RaftStorage } from "../../../examples/raft-kv/raft/raft-storage.js";
import { createClerk } from "../../../src/raft-peer/index.js";
import { NodeProcess } from "./node-process.js";

/** Starting a process takes a second, on a busy machine several. */
const LIMIT_MS = 60_000;
const folder = mkdtempSync(join(tmpdir(), "holdfast-test-"));
const config = join(folder, "holdfast.yaml");
const data = join(folder, "data");
writeFileSync(config, "raftPeers: { kv: { addresses: ['127.0.0.1:5001'], insecure: true } }");
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function start(...more: readonly string[]): NodeProcess {
  const times = ["--heartbeat-ms", "10", "--election-min-ms", "30", "--election-max-ms", "60"];
  const where = ["--config", config, "--me", "0", "--listen", "127.0.0.1:0", "--data", data];
  return new NodeProcess([...where, ...times, ...more]);
}

function writeDamagedLog(path: string): void {
  const storage = new RaftStorage(new FileDisk(path));
  storage.load();
  storage.save({ term: 1, votedFor: 0 }, []);
  storage.save({ term: 2, votedFor: 0 }, []);
  storage.close();
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.with(10, bytes[10]! ^ 1));
}

it(
  "serves a Clerk, ends cleanly on SIGTERM, and has everything again after a torn write",
  async () => {
    await using first = start();
    await using clerk = createClerk({ servers: [await first.ready()], insecure: true });
    await clerk.put("key", "kept");
    await clerk.close();
    first.kill("SIGTERM");
    expect(await first.end()).toBe(0);
    expect(first.stderr).toContain("node 0: leader in term 1");
    appendFileSync(join(data, "raft.log"), Uint8Array.of(0, 0, 1));

    await using second = start();
    await using again = createClerk({ servers: [await second.ready()], insecure: true });

    expect(await again.get("key")).toBe("kept");
    expect(second.stderr).toContain("node 0: cut 3 bytes of a torn record off the end of its log");
    await again.close();
  },
  LIMIT_MS,
);

it(
  "refuses to start on a damaged log, and says what is wrong with it",
  async () => {
    const damaged = join(folder, "damaged");
    writeDamagedLog(join(damaged, "raft.log"));
    await using node = start("--data", damaged);

    expect(await node.end()).toBe(1);

    expect(node.stderr).toContain("the log is corrupt: the record at byte 0 is bad");
    expect(node.stdout).toBe("");
  },
  LIMIT_MS,
);

it(
  "ends with code 2 and one sentence for wrong flags and for a wrong configuration",
  async () => {
    await using badFlag = start("--me", "x");
    await using badPlace = start("--me", "7");

    expect(await badFlag.end()).toBe(2);
    expect(badFlag.stderr).toContain('--me is "x"');
    expect(badFlag.stderr).toContain("See --help.");
    expect(await badPlace.end()).toBe(2);
    expect(badPlace.stderr).toContain("7");
  },
  LIMIT_MS,
);
