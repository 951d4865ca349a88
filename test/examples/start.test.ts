import { expect, it } from "vitest";
import { FakeClone } from "./fake-clone.js";

const LIMIT_MS = 60_000;
const START = ["scripts/start.mjs", "raft-kv"];
/** A demo that runs until it is stopped, and cleans up then. */
const WAITING = `
import { setTimeout as sleep } from "node:timers/promises";
import { runProgram } from "SHARED/run-program.js";
await runProgram(async (signal) => {
  const alive = setInterval(() => console.log("at work"), 50);
  try {
    console.log("ready", process.pid);
    AFTER_READY
    await sleep(60_000, undefined, { signal });
    return 0;
  } finally {
    clearInterval(alive);
    console.error("cleaned up");
  }
}, () => console.error("stopped"));
`;

function waiting(afterReady = ""): string {
  return WAITING.replace("AFTER_READY", afterReady);
}

function ending(code: number): string {
  return `import { runProgram } from "SHARED/run-program.js";\nawait runProgram(async () => ${code}, () => {});`;
}

it.each([
  ["a verdict of 0", ending(0), 0],
  ["a verdict of 1", ending(1), 1],
  ["a verdict of 2", ending(2), 2],
  ["2 for a file that cannot be loaded, which Node ends with 1", 'import "./missing.js";', 2],
  ["2 for an error before the program has begun", 'throw new Error("early");', 2],
  ["2 for an exit without a verdict", "process.exit(0);", 2],
  ["2 for an error in a timer", waiting('setTimeout(() => { throw new Error("late"); }, 1);'), 2],
  ["2 for a rejection that nobody handles", waiting('Promise.reject(new Error("late"));'), 2],
  ["the signal that ended it", 'process.kill(process.pid, "SIGKILL"); setInterval(() => {}, 9);', 137],
])(
  "ends with %s",
  async (_name, demo, code) => {
    using clone = new FakeClone(demo);
    await using run = clone.node(START);

    expect(await run.end(), run.output).toBe(code);
  },
  LIMIT_MS,
);

it(
  "prints an error that nobody caught, and cleans up",
  async () => {
    using clone = new FakeClone(waiting('setTimeout(() => { throw new Error("late"); }, 1);'));
    await using run = clone.node(START);

    expect(await run.end()).toBe(2);
    expect(run.output).toMatch(/Error: late[\s\S]*cleaned up/);
  },
  LIMIT_MS,
);

it.each(["stdout", "stderr"] as const)(
  "ends quietly with 141 when nobody reads %s any more, as after | head",
  async (name) => {
    using clone = new FakeClone(waiting('setInterval(() => console.error("."), 50).unref();'));
    await using run = clone.node(START);
    await run.printed("ready");

    run.closeOutput(name);

    expect(await run.end()).toBe(141);
    expect(run.output).not.toContain("Error");
  },
  LIMIT_MS,
);

/** Starts a command as npm does: by `sh -c`, with the name of the script in the environment. */
const NPM = `
const child = require("node:child_process").spawn("sh", ["-c", process.argv[1] + "; exit $?"], { stdio: "inherit" });
process.on("SIGTERM", () => { child.kill("SIGTERM"); setTimeout(() => process.exit(143), 20); });
child.on("exit", (code) => process.exit(code));
`;

// Windows has no such signals.
it.skipIf(process.platform === "win32").each(["SIGTERM", "SIGKILL"] as const)(
  "ends the demo, cleaned up, when npm is ended with %s",
  async (signal) => {
    using clone = new FakeClone(waiting());
    const command = `"${process.execPath}" scripts/start.mjs raft-kv`;
    await using run = clone.node(["-e", NPM, command], { npm_lifecycle_event: "start" });
    await run.printed("ready");

    run.kill(signal);

    // It ends when the demo has closed the outputs too.
    await run.end();
    expect(run.output).toContain("cleaned up");
  },
  LIMIT_MS,
);

it(
  "ends with 130 and starts nothing when Ctrl-C comes while it builds",
  async () => {
    using clone = new FakeClone('console.log("ready");');
    await using run = clone.node(START);
    await run.printed("building");

    run.kill("SIGINT");

    expect(await run.end()).toBe(130);
    expect(run.output).not.toContain("ready");
    expect([clone.list("dist"), clone.list(".cache")]).toEqual([[], []]);
  },
  LIMIT_MS,
);

const BUILD = ["-e", 'import("./scripts/project.mjs").then(async (p) => process.exit(await p.build()))'];

it(
  "replaces a build at once, with nothing of the one before and nothing beside it",
  async () => {
    using clone = new FakeClone();
    clone.write("dist/deleted.js", "");
    clone.write("dist/index.js", "");
    clone.write(".cache/build-999999999/left.js", "");

    const build = clone.node(BUILD);
    let misses = 0;
    const over = build.end().then(() => true);
    while (!(await Promise.race([over, new Promise<false>((go) => setImmediate(go, false))])))
      if (clone.list("dist").length < 2) misses += 1;

    expect(await build.end(), build.output).toBe(0);
    expect(clone.list("dist").sort()).toEqual(["index.d.ts", "index.js"]);
    expect(clone.list(".cache")).toEqual([]);
    // Two renames follow each other; a build in place would be seen half done thousands of times.
    expect(misses).toBeLessThan(10);
  },
  LIMIT_MS,
);

it(
  "leaves the build that works when the next one fails",
  async () => {
    using clone = new FakeClone();
    clone.write("dist/index.js", "works");
    clone.write("src/index.ts", "export const version: number = 'one';\n");

    const build = clone.node(BUILD);

    expect(await build.end()).not.toBe(0);
    expect([clone.read("dist/index.js"), clone.list(".cache")]).toEqual(["works", []]);
  },
  LIMIT_MS,
);
