/** The Go toolchain: which one is there, one that is new enough, and running it. */
import { spawn, spawnSync } from "node:child_process";
import { chmodSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileNameOf } from "./on-path.mjs";

/** Toolchains are modules too: about 90 MB from the module proxy. */
const FETCH_LIMIT_MS = 600_000;
/** What Go says while all goes well: modules as it fetches them and, with `-v`, packages as it compiles them. */
const PROGRESS = /^(go: (downloading|finding|extracting) .*|\S+)$/;

/** What `go version` says, or undefined where Go is not on PATH. */
export function findGo() {
  const { error, stdout } = spawnSync("go", ["version"], { encoding: "utf8" });
  return error === undefined ? stdout.trim() : undefined;
}

/**
 * A Go that is `wanted` ("1.25.7") or later, as `runGo` takes it: the one on PATH or, where that is older, `wanted`
 * itself, fetched as a module as Go does it from 1.21 on. `folder` belongs to no module.
 */
export async function goSince(wanted, folder, tell) {
  const here = findGo();
  if (here === undefined)
    throw new Error(`Go ${wanted} or later has to be on PATH (Debian: apt-get install golang-go)`);
  if (isSince(wanted, here)) return { command: "go", env: {} };
  tell(`${here} is older than ${wanted}, which is fetched`);
  try {
    return await fetchGo(wanted, folder);
  } catch (error) {
    throw new Error(`${here} is older than ${wanted}, and fetching that failed: ${error.message}`);
  }
}

function isSince(wanted, version) {
  const [, major = 0, minor = 0, patch = 0] = /\bgo(\d+)\.(\d+)(?:\.(\d+))?/.exec(version) ?? [];
  const [wantedMajor, wantedMinor, wantedPatch] = wanted.split(".");
  return (major - wantedMajor || minor - wantedMinor || patch - wantedPatch) >= 0;
}

async function fetchGo(wanted, folder) {
  const platform = await runGo("go", ["env", "GOHOSTOS", "GOHOSTARCH"], { cwd: folder });
  const toolchain = `golang.org/toolchain@v0.0.1-go${wanted}.${platform.trim().replace(/\s+/, "-")}`;
  const download = ["mod", "download", "-json", toolchain];
  const { Dir: root } = JSON.parse(await runGo("go", download, { cwd: folder, limitMs: FETCH_LIMIT_MS }));
  makeExecutable(root);
  // The old Go's root may be in our environment.
  return { command: join(root, "bin", fileNameOf("go")), env: { GOROOT: root } };
}

/** Files of modules are not executable; Go, too, makes an exception for these. */
function makeExecutable(root) {
  const tools = join(root, "pkg", "tool");
  for (const folder of [join(root, "bin"), ...readdirSync(tools).map((name) => join(tools, name))]) {
    for (const name of readdirSync(folder)) chmodSync(join(folder, name), 0o755);
  }
}

/**
 * Runs a Go command and returns what it printed. `hear` is told what it says meanwhile, line by line; if it fails, the
 * error repeats that, without mere progress.
 */
export function runGo(go, args, { cwd, env, limitMs = 60_000, hear = () => {} }) {
  return new Promise((resolve, reject) => {
    const child = spawn(go, args, {
      cwd,
      // Go needs a home for its own caches. No C compiler, no other Go than this one, no workspace around `cwd`.
      env: { HOME: homedir(), ...process.env, CGO_ENABLED: "0", GOTOOLCHAIN: "local", GOWORK: "off", ...env },
      stdio: ["ignore", "pipe", "pipe"],
      timeout: limitMs,
    });
    const said = [];
    let printed = "";
    child.stdout.setEncoding("utf8").on("data", (part) => {
      printed += part;
    });
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (!PROGRESS.test(line)) said.push(line);
      hear(line);
    });
    child.once("error", reject);
    child.once("close", (code, signal) => {
      if (code === 0) return resolve(printed);
      const end = signal === null ? `exit code ${code}` : `${signal}; it has ${limitMs} ms`;
      const what = `go ${args.join(" ")} failed (${end})`;
      reject(new Error(said.length === 0 ? what : `${what}:\n${said.join("\n")}`));
    });
  });
}
