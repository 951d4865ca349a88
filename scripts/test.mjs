// What `npm test` runs: install if needed, type-check, lint, build, then every test. Extra arguments go to vitest.
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, forwardSignals, install, needsInstall, tool } from "./project.mjs";

// Children get Ctrl-C from the terminal themselves; we stay alive to remove the report and to pass their exit code on.
process.on("SIGINT", () => {});
forwardSignals(["SIGTERM"]);

/** Printed when all is over: CI reads the counts from it. */
let lastLine;

process.exitCode = await main(process.argv.slice(2));
if (lastLine) console.log(lastLine);

async function main(vitestArgs) {
  if (needsInstall() && (await step("install", install)) !== 0) return 1;
  const steps = [
    ["type-check", () => tool("typescript", "tsc", ["-p", "tsconfig.json"])],
    ["lint", () => tool("@biomejs/biome", "biome", ["check", "."])],
    ["build", build],
    ["tests", () => runTests(vitestArgs)],
  ];
  for (const [name, action] of steps) {
    const code = await step(name, action);
    if (code !== 0) return code;
  }
  return 0;
}

async function runTests(vitestArgs) {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  const report = join(folder, "report.json");
  try {
    const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
    const code = await tool("vitest", "vitest", ["run", ...reporters, ...vitestArgs]);
    // A crash leaves no report: then there is nothing to count and the exit code speaks.
    const counts = existsSync(report) ? count(JSON.parse(readFileSync(report, "utf8"))) : undefined;
    if (counts) lastLine = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
    return code;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A file that could not even be loaded has no tests to count, so it counts as one failure. */
function count(report) {
  const unloaded = report.testResults.filter(
    (file) => file.status === "failed" && file.assertionResults.every((test) => test.status !== "failed"),
  ).length;
  return {
    passed: report.numPassedTests,
    failed: report.numFailedTests + unloaded,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

async function step(name, action) {
  console.log(`\n== ${name}`);
  const start = performance.now();
  const code = await action();
  const seconds = ((performance.now() - start) / 1000).toFixed(1);
  console.log(
    code === 0 ? `== ${name}: ok, ${seconds} s` : `== ${name}: FAILED (exit ${code}), ${seconds} s`,
  );
  return code;
}
