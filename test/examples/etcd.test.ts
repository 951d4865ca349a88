import { describe, expect, it, vi } from "vitest";
import type { Report } from "../../examples/etcd/run.js";
import { findEtcd } from "../../scripts/etcd-cluster.mjs";
import { ExampleRun, stillRunning } from "./example-run.js";

const LIMIT_MS = 90_000;
const ETCD = "examples/etcd/main.ts";
const IS_ETCD_HERE = findEtcd() !== undefined;
// In CI a missing etcd is a failure: the test then runs, and `--etcd` says what is missing.
const mustSkip = !IS_ETCD_HERE && !process.env["CI"];
const whySkipped = mustSkip ? " (SKIPPED: etcd is not on PATH; apt-get install etcd-server)" : "";

async function compare(args: readonly string[]): Promise<Report & { passed: boolean }> {
  await using run = new ExampleRun(ETCD, [...args, "--json"]);
  const exitCode = await run.end();
  expect(exitCode, run.stderr).toBe(0);
  expect(run.leftFolders()).toEqual([]);
  return JSON.parse(run.stdout) as Report & { passed: boolean };
}

function faults(report: Report): string[] {
  const words = ["killed", "restarted", "rejoined", "frozen", "continued"];
  return words.filter((word) => report.timeline.some(({ text }) => text.includes(word)));
}

describe("examples/etcd", { timeout: LIMIT_MS }, () => {
  it.skipIf(mustSkip)(
    `loses no Range while a real etcd's leader dies and a node freezes${whySkipped}`,
    async () => {
      const report = await compare(["--etcd", "--seconds", "8"]);

      const { Range, Put } = report.sides.holdfast;
      expect(report.servers).toBe("etcd");
      expect(faults(report)).toEqual(["killed", "restarted", "rejoined", "frozen", "continued"]);
      expect(Range.failed).toEqual({});
      expect(Range.ok).toBeGreaterThan(100);
      expect(Put.failedProcessed).toMatchObject({ yes: 0, unsaid: 0 });
      expect(report.passed).toBe(true);
    },
  );

  it("loses no Range on its own servers, where etcd is not installed", async () => {
    const report = await compare(["--own", "--seconds", "6"]);

    expect(report.servers).toBe("own");
    expect(faults(report)).toEqual(["killed", "restarted", "rejoined", "frozen", "continued"]);
    expect(report.sides.holdfast.Range.failed).toEqual({});
    expect(report.sides.holdfast.Range.ok).toBeGreaterThan(100);
    expect(report.sides.holdfast.Put.failedProcessed).toMatchObject({ yes: 0, unsaid: 0 });
  });

  it.each([
    ["Ctrl-C", "SIGINT", 130],
    ["SIGTERM", "SIGTERM", 143],
    ["SIGKILL, which it cannot hear", "SIGKILL", "SIGKILL"],
  ] as const)(
    "leaves no process and no file behind after %s, even with a server frozen",
    async (_name, signal, code) => {
      await using run = new ExampleRun(ETCD, ["--own", "--json", "--seconds", "5"]);
      await run.printed("frozen");
      const children = run.children();
      // Three servers and the watchdog; tsx may have a helper of its own.
      expect(children.length).toBeGreaterThanOrEqual(4);

      run.kill(signal);

      expect(await run.end()).toBe(code);
      await vi.waitFor(() => expect([...stillRunning(children), ...run.leftFolders()]).toEqual([]), 5_000);
    },
  );
});
