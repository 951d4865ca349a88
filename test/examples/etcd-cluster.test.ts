import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, it, vi } from "vitest";
import { findEtcd, startEtcdCluster } from "../../scripts/etcd-cluster.mjs";
import { stillRunning } from "./example-run.js";

const mustSkip = findEtcd() === undefined && !process.env["CI"];
const whySkipped = mustSkip ? " (SKIPPED: etcd is not on PATH; apt-get install etcd-server)" : "";

it.skipIf(mustSkip)(
  `kills, restarts, freezes and continues real etcd nodes, and removes them all${whySkipped}`,
  async () => {
    const cluster = await startEtcdCluster();
    try {
      const first = await cluster.waitForLeader();
      await first.kill();
      const second = await cluster.waitForLeader();
      expect(second.name).not.toBe(first.name);

      first.restart();
      await cluster.waitInSync(first);
      second.freeze();
      expect((await cluster.waitForLeader()).name).not.toBe(second.name);
      second.thaw();
      await second.waitReady();
      expect(cluster.nodes.map((node) => node.state)).toEqual(["running", "running", "running"]);

      second.freeze();
    } finally {
      const pids = cluster.nodes.flatMap((node) => node.pid ?? []);
      await cluster.stop();
      expect(pids).toHaveLength(3);
      expect([...stillRunning(pids), existsSync(cluster.folder)]).toEqual([false]);
    }
  },
  60_000,
);

it.skipIf(mustSkip)(`leaves nothing behind when its start is given up${whySkipped}`, async () => {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  vi.stubEnv("TMPDIR", folder);
  const abort = new AbortController();
  const starting = startEtcdCluster({ signal: abort.signal });
  await vi.waitFor(() => expect(readdirSync(folder)).toHaveLength(1));

  abort.abort();

  await expect(starting).rejects.toThrow();
  expect(readdirSync(folder)).toEqual([]);
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});
