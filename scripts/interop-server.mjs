/**
 * grpc-go's interoperability server, built by the Go toolchain into the user's cache folder and found there afterwards.
 * `node scripts/interop-server.mjs` prints its path and builds it first where it is missing; progress goes to standard
 * error. Needs Go 1.19 or later on PATH, no C compiler; where modules come from is Go's own configuration (`go env`).
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const PACKAGE = "google.golang.org/grpc/interop/server";
/** The last release that Go 1.19 builds, which is the Go of Debian 12: grpc-go 1.65 wants 1.21. */
const VERSION = "v1.64.1";
/** Ten seconds of two quiet cores, downloads included; a proxy that never answers must end at some time. */
const INSTALL_TIMEOUT_MS = 600_000;
/** Older build folders belong to builds that were killed. */
const ABANDONED_MS = 2 * INSTALL_TIMEOUT_MS;

const PROGRAM = process.platform === "win32" ? "server.exe" : "server";

/** Path of the server, or undefined while it is not installed. */
export function findInteropServer() {
  const program = join(cacheFolder(), PROGRAM);
  return existsSync(program) ? program : undefined;
}

/** What `go version` says, or undefined where Go is not on PATH. */
export function findGo() {
  const { error, stdout } = spawnSync("go", ["version"], { encoding: "utf8" });
  return error === undefined ? stdout.trim() : undefined;
}

/**
 * Path of the server, installed first where it is missing. Several processes may do so at once: each builds in a folder
 * of its own and moves the finished program into place. `tell` hears of progress, a line at a time.
 */
export async function installInteropServer(tell = console.error) {
  const found = findInteropServer();
  if (found !== undefined) return found;
  const go = findGo();
  if (go === undefined) throw new Error(`${PACKAGE} needs Go on PATH (Debian: apt-get install golang-go)`);
  const folder = cacheFolder();
  mkdirSync(folder, { recursive: true });
  removeAbandoned(folder);
  const building = mkdtempSync(join(folder, "build-"));
  try {
    tell(`installing ${PACKAGE}@${VERSION} with ${go} into ${folder}`);
    const start = performance.now();
    await goInstall(building, tell);
    renameSync(join(building, PROGRAM), join(folder, PROGRAM));
    tell(`installed in ${((performance.now() - start) / 1000).toFixed(1)} s`);
    return join(folder, PROGRAM);
  } finally {
    rmSync(building, { recursive: true, force: true });
  }
}

/** Outside the project, so that clones share it, and by version, so that another pin is another program. */
function cacheFolder() {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  const ofPlatform = {
    darwin: join(homedir(), "Library", "Caches"),
    win32: LOCALAPPDATA ?? join(homedir(), "AppData", "Local"),
  };
  const cache = XDG_CACHE_HOME || ofPlatform[process.platform] || join(homedir(), ".cache");
  const name = `grpc-go-interop-server-${VERSION}-${process.platform}-${process.arch}`;
  return resolve(cache, "holdfast", name);
}

function removeAbandoned(folder) {
  const abandoned = readdirSync(folder)
    .filter((name) => name.startsWith("build-"))
    .map((name) => join(folder, name))
    .filter((path) => Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0) > ABANDONED_MS);
  for (const path of abandoned) rmSync(path, { recursive: true, force: true });
}

function goInstall(folder, tell) {
  const args = ["install", `${PACKAGE}@${VERSION}`];
  // Go needs a home for its own caches. No C compiler, and no other Go than the one that is there.
  const env = { HOME: homedir(), ...process.env, GOBIN: folder, CGO_ENABLED: "0", GOTOOLCHAIN: "local" };
  return new Promise((resolve, reject) => {
    const go = spawn("go", args, {
      cwd: folder,
      env,
      stdio: ["ignore", "ignore", "pipe"],
      timeout: INSTALL_TIMEOUT_MS,
    });
    let said = "";
    go.stderr.setEncoding("utf8").on("data", (part) => {
      said += part;
      tell(part.trimEnd());
    });
    go.once("error", reject);
    go.once("close", (code, signal) => {
      const end = signal === null ? `exit code ${code}` : `${signal}; it has ${INSTALL_TIMEOUT_MS} ms`;
      if (code === 0) resolve();
      else reject(new Error(`go ${args.join(" ")} failed (${end})${said && `:\n${said.trimEnd()}`}`));
    });
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    console.log(await installInteropServer());
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
