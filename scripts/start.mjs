/**
 * What `npm start` runs: `examples/etcd`, from a fresh clone on. Installs when node_modules is missing, builds when dist
 * is missing or older than the sources, then hands over arguments and signals, and takes over the exit code.
 */
import { spawn } from "node:child_process";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { constants } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const forwarded = ["SIGINT", "SIGTERM", "SIGHUP"];
/** Standard output belongs to the example, which may be asked for JSON: all else goes to standard error. */
const onStderr = { stdio: ["ignore", 2, 2] };

process.exitCode = await main(process.argv.slice(2));

async function main(args) {
  // npm writes it last, so it exists only after an install that went through.
  if (!existsSync(join(root, "node_modules", ".package-lock.json"))) {
    if ((await step("node_modules is missing: installing", install)) !== 0) return 1;
  }
  if (isDistStale()) {
    if ((await step("dist is missing or older than src: building", build)) !== 0) return 1;
  }
  return runExample(args);
}

async function step(title, action) {
  console.error(title);
  const code = await action();
  if (code !== 0) console.error(`npm start: that failed with exit code ${code}`);
  return code;
}

/** As in test.mjs, where the reasons stand; with the development packages whatever NODE_ENV says: tsx is one. */
function install() {
  const cli = process.env.npm_execpath ?? "";
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--include=dev"];
  if (basename(cli) === "npm-cli.js") return run(process.execPath, [cli, ...args], onStderr);
  return run("npm", args, onStderr);
}

/** Starts from an empty folder, and leaves none half done: the next start would take it for a build. */
async function build() {
  const dist = join(root, "dist");
  rmSync(dist, { recursive: true, force: true });
  const compiler = join(root, "node_modules", "typescript", "bin", "tsc");
  const code = await run(process.execPath, [compiler, "-p", "tsconfig.build.json"], onStderr);
  if (code !== 0) rmSync(dist, { recursive: true, force: true });
  return code;
}

function isDistStale() {
  if (!existsSync(join(root, "dist", "index.js"))) return true;
  const sources = Math.max(newestIn("src"), statSync(join(root, "tsconfig.build.json")).mtimeMs);
  return newestIn("dist") < sources;
}

/** When the newest file under a folder was written. */
function newestIn(folder) {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return Math.max(0, ...files.map((file) => statSync(join(file.parentPath, file.name)).mtimeMs));
}

function runExample(args) {
  // The build's settings have no short cut from "holdfast" to src: the example meets the package as users do, in dist.
  const env = { ...process.env, TSX_TSCONFIG_PATH: join(root, "tsconfig.build.json") };
  const command = ["--import", "tsx", join("examples", "etcd", "main.ts"), ...args];
  // By the ipc channel the example notices when this script is killed outright.
  return run(process.execPath, command, { env, stdio: ["inherit", "inherit", "inherit", "ipc"] });
}

function run(command, args, options) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, ...options });
    const forward = (signal) => child.kill(signal);
    for (const signal of forwarded) process.on(signal, forward);
    const end = (code) => {
      for (const signal of forwarded) process.off(signal, forward);
      resolve(code);
    };
    child.once("error", (error) => {
      console.error(`could not start ${command}: ${error.message}`);
      end(127);
    });
    child.once("exit", (code, signal) => end(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
}
