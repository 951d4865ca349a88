// What `npm test` runs: install if needed, type-check, lint, build, then every test. Extra arguments go to vitest.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { constants, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const packages = join(root, "node_modules");
const lockFile = join(root, "package-lock.json");
/** npm writes it last, so it exists only after an install that went through. */
const installedLock = join(packages, ".package-lock.json");

const childProcesses = new Set();
// Children get Ctrl-C from the terminal themselves; we stay alive to remove the report and to pass their exit code on.
process.on("SIGINT", () => {});
process.on("SIGTERM", () => {
  for (const child of childProcesses) child.kill("SIGTERM");
});

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

function needsInstall() {
  return !existsSync(installedLock) || statSync(installedLock).mtimeMs < statSync(lockFile).mtimeMs;
}

/**
 * Not `npm ci`: it refuses a lock file that lacks binary packages of platforms whose packages a registry does not carry.
 * `--no-save` keeps the lock file as it is. No package needs its install script: binaries come as optional packages.
 */
async function install() {
  const cli = process.env.npm_execpath ?? "";
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund"];
  const code =
    basename(cli) === "npm-cli.js" ? await run(process.execPath, [cli, ...args]) : await run("npm", args);
  if (code === 0) utimesSync(installedLock, new Date(), new Date());
  return code;
}

/** Starts from an empty folder, so that the output of a deleted source file is not packed. */
function build() {
  rmSync(join(root, "dist"), { recursive: true, force: true });
  return tool("typescript", "tsc", ["-p", "tsconfig.build.json"]);
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

/** Runs a locally installed command by its JavaScript entry point, as its package names it. */
function tool(packageName, command, args) {
  const folder = join(packages, packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return run(process.execPath, [join(folder, bin[command]), ...args]);
}

function run(command, args) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit" });
    childProcesses.add(child);
    child.once("error", (error) => {
      childProcesses.delete(child);
      console.error(`could not start ${command}: ${error.message}`);
      resolve(127);
    });
    child.once("exit", (code, signal) => {
      childProcesses.delete(child);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}
