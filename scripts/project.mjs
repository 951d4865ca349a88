/** What `start.mjs` and `test.mjs` both do to a clone: install its packages, build it, run things in it. */
import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  utimesSync,
} from "node:fs";
import { constants } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));
export const dist = join(root, "dist");
const packages = join(root, "node_modules");
const lockFile = join(root, "package-lock.json");
/** npm writes it last, so it exists only after an install that went through. */
const installedLock = join(packages, ".package-lock.json");

/** Of the same file system as `dist`, and ignored by git and the linter. */
const cache = join(root, ".cache");
/** Two builds at once take turns; each swap takes microseconds. */
const SWAP_ATTEMPTS = 100;

const childProcesses = new Set();
let stoppedBy;

/** Passes these signals on to what runs at that moment. */
export function forwardSignals(names) {
  for (const name of names) process.on(name, () => stop(name));
}

/** Passes this signal on to what runs at the moment, or ends with it when nothing does. */
export function stop(signal) {
  stoppedBy ??= signal;
  if (childProcesses.size === 0) process.exit(128 + constants.signals[signal]);
  for (const child of childProcesses) child.kill(signal);
}

/** The exit code of the first signal that was passed on, or undefined while there was none. */
export function stopCode() {
  return stoppedBy === undefined ? undefined : 128 + constants.signals[stoppedBy];
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

/**
 * Builds into an empty folder, so that the output of a deleted source file is not packed, and swaps it in when all went
 * well: whoever runs on the build before, a demo for instance, finds one or the other and never half of one.
 */
export async function build(stdio = "inherit") {
  removeAbandoned();
  const built = join(cache, `build-${process.pid}`);
  mkdirSync(built, { recursive: true });
  try {
    const code = await tool("typescript", "tsc", ["-p", "tsconfig.build.json", "--outDir", built], { stdio });
    if (code === 0) swapIn(built);
    return code;
  } finally {
    rmSync(built, { recursive: true, force: true });
    removeIfEmpty(cache);
  }
}

function removeIfEmpty(folder) {
  try {
    rmdirSync(folder);
  } catch (error) {
    if (!["ENOENT", "ENOTEMPTY", "EEXIST"].includes(error.code)) throw error;
  }
}

function swapIn(built) {
  const old = join(cache, `old-${process.pid}`);
  for (let attempt = 1; ; attempt += 1) {
    if (existsSync(dist)) tryRename(dist, old);
    if (tryRename(built, dist)) break;
    if (attempt === SWAP_ATTEMPTS) throw new Error(`${dist} could not be replaced`);
    rmSync(old, { recursive: true, force: true });
  }
  rmSync(old, { recursive: true, force: true });
}

/** False when another build was quicker: what is to be moved has gone, or the place is taken. */
function tryRename(from, to) {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if (["ENOENT", "ENOTEMPTY", "EEXIST", "EPERM"].includes(error.code)) return false;
    throw error;
  }
}

/** What builds left behind that were killed outright; their names end with their process ids. */
function removeAbandoned() {
  if (!existsSync(cache)) return;
  for (const name of readdirSync(cache)) {
    const pid = /^(?:build|old)-(\d+)$/.exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid)))
      rmSync(join(cache, name), { recursive: true, force: true });
  }
}

function isAlive(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return error.code === "EPERM";
  }
}

/** Runs a locally installed command by its JavaScript entry point, as its package names it. */
export function tool(packageName, command, args, options) {
  const folder = join(packages, packageName);
  const { bin } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return run(process.execPath, [join(folder, bin[command]), ...args], options);
}

/** The exit code; 128 and the signal's number when a signal ended it, 127 when it could not be started. */
export function run(command, args, { onMessage, ...options } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: "inherit", ...options });
    childProcesses.add(child);
    if (onMessage) child.on("message", onMessage);
    child.once("error", (error) => {
      childProcesses.delete(child);
      console.error(`could not start ${command}: ${error.message}`);
      resolve(127);
    });
    // And not `exit`: by then its last message may not have arrived.
    child.once("close", (code, signal) => {
      childProcesses.delete(child);
      resolve(code ?? 128 + (constants.signals[signal] ?? 0));
    });
  });
}
