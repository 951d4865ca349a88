/** What `start.mjs` and `test.mjs` both do to a clone: install its packages, build it, run things in it. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, rmSync, statSync, utimesSync } from "node:fs";
import { constants } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const dist = join(root, "dist");
const packages = join(root, "node_modules");
const lockFile = join(root, "package-lock.json");
/** npm writes it last, so it exists only after an install that went through. */
const installedLock = join(packages, ".package-lock.json");

const childProcesses = new Set();

/** Passes these signals on to what runs at that moment. */
export function forwardSignals(names) {
  for (const name of names) {
    process.on(name, () => {
      if (childProcesses.size === 0) process.exit(128 + constants.signals[name]);
      for (const child of childProcesses) child.kill(name);
    });
  }
}

export function needsInstall() {
  return !existsSync(installedLock) || statSync(installedLock).mtimeMs < statSync(lockFile).mtimeMs;
}

/**
 * Not `npm ci`: it refuses a lock file that lacks binary packages of platforms whose packages a registry does not carry.
 * `--no-save` keeps the lock file as it is. No package needs its install script: binaries come as optional packages. The
 * development packages are needed whatever NODE_ENV says.
 */
export async function install(stdio = "inherit") {
  const cli = process.env.npm_execpath ?? "";
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--include=dev"];
  const isNpm = basename(cli) === "npm-cli.js";
  const code = isNpm
    ? await run(process.execPath, [cli, ...args], { stdio })
    : await run("npm", args, { stdio });
  if (code === 0) utimesSync(installedLock, new Date(), new Date());
  return code;
}

/** Starts from an empty folder, so that the output of a deleted source file is not packed; leaves none half done. */
export async function build(stdio = "inherit") {
  rmSync(dist, { recursive: true, force: true });
  const code = await tool("typescript", "tsc", ["-p", "tsconfig.build.json"], { stdio });
  if (code !== 0) rmSync(dist, { recursive: true, force: true });
  return code;
}

/** Runs a locally installed command by its JavaScript entry point, as its package names it. */
export function tool(packageName, command, args, options) {
  const folder = join(packages, packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return run(process.execPath, [join(folder, bin[command]), ...args], options);
}

/** The exit code; 128 and the signal's number when a signal ended it, 127 when it could not be started. */
export function run(command, args, options = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
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
