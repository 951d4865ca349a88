/**
 * Consul: the one on PATH, or else one built by the Go toolchain from `consul/go.mod` into the user's cache folder, once
 * per machine. `node scripts/consul.mjs` prints its path and builds it first where it is missing, which takes minutes;
 * progress goes to standard error. Needs Go on PATH, no C compiler; an old Go fetches the release that `consul/go.mod`
 * wants. Where modules come from is Go's own configuration (`go env`).
 */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { whenRunByHand } from "./servers/by-hand.mjs";
import { CachedProgram } from "./servers/cached-program.mjs";
import { goSince, runGo } from "./servers/go.mjs";
import { fileNameOf, findOnPath } from "./servers/on-path.mjs";

const PACKAGE = "github.com/hashicorp/consul";
const MODULE = fileURLToPath(new URL("consul/", import.meta.url));
/** Four minutes of two quiet cores, downloads apart; a proxy that never answers must end at some time. */
const INSTALL_LIMIT_MS = 1_800_000;
const PROGRESS_MS = 5_000;
const START_LIMIT_MS = 10_000;

const pins = readFileSync(join(MODULE, "go.mod"), "utf8");
const [, VERSION] = /^\tgithub\.com\/hashicorp\/consul (v\S+)/m.exec(pins);
const [, GO] = /^go (\S+)/m.exec(pins);

const cached = new CachedProgram({
  release: `consul-${VERSION}`,
  program: "consul",
  limitMs: INSTALL_LIMIT_MS,
});

/** Full path of Consul, on PATH or in the cache, or undefined. */
export function findConsul() {
  return findOnPath("consul") ?? cached.find();
}

/**
 * Full path of Consul, installed first where it is missing. Several processes may do so at once. `tell` hears of
 * progress, a line at a time.
 */
export async function installConsul(tell = console.error) {
  return findConsul() ?? cached.install((folder, goal) => build(folder, goal, tell), tell);
}

/** The first line of `consul version`. */
export function versionOf(program) {
  const { error, status, stdout, stderr } = spawnSync(program, ["version"], {
    encoding: "utf8",
    timeout: START_LIMIT_MS,
  });
  if (error !== undefined) throw new Error(`${program} does not start: ${error.message}`);
  if (status !== 0) throw new Error(`${program} version failed (exit code ${status}):\n${stderr.trimEnd()}`);
  return stdout.split("\n")[0];
}

async function build(folder, goal, tell) {
  const { command, env } = await goSince(GO, folder, tell);
  const program = join(folder, fileNameOf("consul"));
  tell(`building ${PACKAGE}@${VERSION} with ${command} into ${goal}; it takes minutes`);
  const progress = new Progress(tell);
  try {
    // Without debugging symbols, a third smaller.
    await runGo(
      command,
      ["build", "-mod=readonly", "-trimpath", "-ldflags=-s -w", "-v", "-o", program, PACKAGE],
      {
        cwd: MODULE,
        env,
        limitMs: INSTALL_LIMIT_MS,
        hear: (line) => progress.count(line),
      },
    );
  } finally {
    progress.end();
  }
  tell(versionOf(program));
}

/** Go names every module it fetches and every package it compiles: here they are counted, every few seconds. */
class Progress {
  #tell;
  #timer;
  #start = performance.now();
  #fetched = 0;
  #compiled = 0;

  constructor(tell) {
    this.#tell = tell;
    this.#timer = setInterval(() => this.#say(), PROGRESS_MS);
  }

  count(line) {
    if (line.startsWith("go: downloading ")) this.#fetched += 1;
    else this.#compiled += 1;
  }

  end() {
    clearInterval(this.#timer);
    this.#say();
  }

  #say() {
    const seconds = ((performance.now() - this.#start) / 1000).toFixed(0);
    this.#tell(`${seconds} s: ${this.#fetched} modules fetched, ${this.#compiled} packages compiled`);
  }
}

whenRunByHand(import.meta.url, async () => console.log(await installConsul()));
