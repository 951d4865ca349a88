import { spawnSync } from "node:child_process";
import { describe, expect, it, vi } from "vitest";
import type { Report } from "../../examples/raft-kv/demo/report.js";
import { ExampleRun, stillListening, stillRunning } from "./example-run.js";

const LIMIT_MS = 120_000;
const DEMO = "examples/raft-kv/demo/main.ts";

async function leftBehind(children: readonly number[], ports: readonly number[], run: ExampleRun) {
  return [...stillRunning(children), ...(await stillListening(ports)), ...run.leftFolders()];
}

describe("the demo", { timeout: LIMIT_MS }, () => {
  it("loses nothing, applies nothing twice and leaves nothing while its leader is hurt", async () => {
    await using run = new ExampleRun(DEMO, ["--seconds", "8", "--seed", "1", "--json"]);
    await run.printed("leads in term");
    const [children, ports] = [run.children(), run.ports()];

    const exitCode = await run.end();

    expect(exitCode, run.stderr).toBe(0);
    const report = JSON.parse(run.stdout) as Report;
    expect(report).toMatchObject({ lost: 0, duplicated: 0, linearizable: true, whole: true });
    expect(report).toMatchObject({ phantom: 0, reordered: 0, foreign: 0, unaudited: 0, unread: 0 });
    const kinds = [...report.faults, ...report.faultsLeftOut].map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(["freeze", "kill", "partition"]);
    expect(report.faultsLeftOut.filter(({ isByPlatform }) => !isByPlatform)).toEqual([]);
    expect(report.acknowledged).toBeGreaterThan(100);
    expect(report.operations).toBe(
      report.acknowledged + Object.values(report.failed).reduce((sum, count) => sum + count, 0),
    );
    expect(ports).toHaveLength(3);
    expect(await leftBehind(children, ports, run)).toEqual([]);
  });

  it.each([
    ["Ctrl-C", "SIGINT", 130],
    ["SIGKILL, which it cannot hear", "SIGKILL", "SIGKILL"],
  ] as const)(
    "leaves no process, port or file behind after %s in the middle of a fault",
    async (_name, signal, code) => {
      await using run = new ExampleRun(DEMO, ["--seconds", "8", "--seed", "1", "--json"]);
      await run.printed(", the leader, ");
      const [children, ports] = [run.children(), run.ports()];
      // At least two nodes (one may be dead) and the watchdog.
      expect(children.length).toBeGreaterThanOrEqual(3);

      run.kill(signal);

      expect(await run.end()).toBe(code);
      expect(run.stdout).toBe("");
      await vi.waitFor(async () => expect(await leftBehind(children, ports, run)).toEqual([]), 5_000);
    },
  );

  it("starts nothing and says why when the workload file is bad", async () => {
    await using run = new ExampleRun(DEMO, ["--workload", "package.json"]);

    expect(await run.end()).toBe(2);
    expect(run.stderr).toMatch(/package\.json:\d+:\d+: unknown key name; allowed: shares/);
    expect(run.stderr).toContain("See --help.");
    expect(run.stdout).toBe("");
  });

  it("names the examples there are when another is asked for", () => {
    const { status, stderr } = spawnSync(process.execPath, ["scripts/start.mjs", "other"], {
      encoding: "utf8",
    });

    expect(status).toBe(2);
    expect(stderr).toContain('no example "other"; there are raft-kv, etcd');
  });
});
