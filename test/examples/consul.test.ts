import { describe, expect, it, vi } from "vitest";
import type { Report } from "../../examples/consul/run.js";
import { mustSkipConsul, whyNoConsul } from "../support/consul-agent.js";
import { ExampleRun, stillRunning } from "./example-run.js";

const LIMIT_MS = 120_000;
const CONSUL = "examples/consul/main.ts";

describe.skipIf(mustSkipConsul)(`examples/consul${whyNoConsul}`, { timeout: LIMIT_MS }, () => {
  it("loses no call while servers join, leave and crash, and Consul forgets everything", async () => {
    await using run = new ExampleRun(CONSUL, ["--json", "--seconds", "8"]);

    const exitCode = await run.end();

    expect(exitCode, run.stderr).toBe(0);
    expect(run.leftFolders()).toEqual([]);
    const report = JSON.parse(run.stdout) as Report & { passed: boolean };
    expect(report).toMatchObject({ failed: 0, failures: {}, passed: true });
    expect(report.servers.map(({ id, fate }) => [id, fate])).toEqual([
      ["greeter-1", "warns"],
      ["greeter-2", "left"],
      ["greeter-3", "killed"],
      ["greeter-4", "serves"],
    ]);
    expect(report.servers.every(({ calls }) => calls > 0)).toBe(true);
    expect(report.timeline.map(({ text }) => text)).toContainEqual(
      expect.stringMatching(/^the client cannot reach Consul, and keeps [12] endpoints?$/),
    );
  });

  it.each([
    ["Ctrl-C", "SIGINT", 130],
    ["SIGKILL, which it cannot hear", "SIGKILL", "SIGKILL"],
  ] as const)("leaves no process and no file behind after %s", async (_name, signal, code) => {
    await using run = new ExampleRun(CONSUL, ["--json", "--seconds", "8"]);
    await run.printed("greeter-3 starts");
    const children = run.children();
    // Consul, three servers and two watchdogs; tsx may have a helper of its own.
    expect(children.length).toBeGreaterThanOrEqual(6);

    run.kill(signal);

    expect(await run.end()).toBe(code);
    await vi.waitFor(() => expect([...stillRunning(children), ...run.leftFolders()]).toEqual([]), 5_000);
  });
});

it("says where Consul is to be had when it is missing", async () => {
  await using run = new ExampleRun(CONSUL, [], { PATH: "/nonexistent", XDG_CACHE_HOME: "/nonexistent" });

  const exitCode = await run.end();

  expect(exitCode).toBe(2);
  expect(run.stderr).toContain(
    "this example needs Consul on PATH, and it is not there; install it (https://",
  );
});
