/**
 * Server processes that can be killed, restarted, frozen and continued, and of which nothing stays behind: neither
 * process nor file, even when the process that started them is killed. Knows nothing of what the servers serve.
 */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const WATCHDOG = fileURLToPath(new URL("watchdog.mjs", import.meta.url));
const LOG_TAIL_LINES = 15;
// Below the range (32,768 up) from which systems take the local port of outgoing connections: else, while a server is
// dead, a client could be given its port, and the restart would find it taken.
const FIRST_PORT = 20_000;
const LAST_PORT = 31_999;
const PORT_ATTEMPTS = 200;

/** One server process. `state` is what we did to it; `exited` means that it ended without being asked to. */
export class ServerProcess {
  #fleet;
  #spec;
  #child;
  #gone = Promise.resolve();
  state = "dead";

  constructor(fleet, spec) {
    this.#fleet = fleet;
    this.#spec = spec;
  }

  get name() {
    return this.#spec.name;
  }

  get pid() {
    return this.state === "dead" || this.state === "exited" ? undefined : this.#child?.pid;
  }

  /** Starts it, for the first time or again, with the same command, log and data. */
  start() {
    if (this.pid !== undefined) throw new Error(`${this.name} runs already, as process ${this.pid}`);
    if (this.#fleet.isStopped) throw new Error(`${this.name} cannot start: its cluster has been stopped`);
    const log = openSync(this.#logFile, "a");
    // A session of its own: the terminal's Ctrl-C is for the parent, which then stops its servers in order.
    const child = spawn(this.#spec.command, this.#spec.args, {
      cwd: this.#spec.cwd,
      detached: true,
      env: this.#spec.env,
      stdio: ["ignore", log, log],
    });
    closeSync(log);
    child.unref();
    this.#child = child;
    this.state = "running";
    this.spawnError = undefined;
    this.#gone = new Promise((resolve) => {
      child.once("exit", () => resolve(this.#ended(child)));
      child.on("error", (error) => child.pid === undefined && resolve(this.#ended(child, error)));
    });
    if (child.pid !== undefined) this.#fleet.tellWatchdog({ pid: child.pid });
  }

  /** SIGKILL, as a crash or the out-of-memory killer would; returns once the process is gone. */
  async kill() {
    if (this.pid !== undefined) {
      const wasFrozen = this.state === "frozen";
      this.state = "dead";
      // Counted again by the event loop, or a parent with nothing else to do would end while it waits here.
      this.#child.ref();
      if (wasFrozen) this.#child.kill("SIGCONT");
      this.#child.kill("SIGKILL");
    }
    await this.#gone;
  }

  /** SIGSTOP: its sockets stay open and the kernel still accepts for it, but it answers nothing. */
  freeze() {
    this.#signal("SIGSTOP", "running");
    this.state = "frozen";
  }

  /** SIGCONT: it goes on where it was stopped. */
  thaw() {
    this.#signal("SIGCONT", "frozen");
    this.state = "running";
  }

  /** The end of what it printed, for error messages. */
  logTail() {
    try {
      return readFileSync(this.#logFile, "utf8").trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
    } catch {
      return "(no log)";
    }
  }

  get #logFile() {
    return join(this.#fleet.folder, `${this.name}.log`);
  }

  #signal(signal, neededState) {
    if (this.state !== neededState) throw new Error(`${this.name} is ${this.state}, not ${neededState}`);
    if (!this.#child.kill(signal)) throw new Error(`${signal} could not be sent to ${this.name}`);
  }

  #ended(child, spawnError) {
    if (child.pid !== undefined) this.#fleet.tellWatchdog({ gone: child.pid });
    if (child !== this.#child || this.state === "dead") return;
    this.state = "exited";
    this.spawnError = spawnError;
  }
}

/** The processes of one cluster with their temporary folder and the watchdog that outlives a killed parent. */
export class ProcessFleet {
  #watchdog;
  #processes = [];
  #stopping;

  constructor(folderPrefix) {
    this.folder = mkdtempSync(join(tmpdir(), folderPrefix));
    this.#watchdog = spawn(process.execPath, [WATCHDOG, this.folder], {
      cwd: tmpdir(),
      detached: true,
      stdio: ["pipe", "ignore", "ignore"],
    });
    this.#watchdog.unref();
    this.#watchdog.stdin.unref();
    // Without its watchdog a fleet still works; only a killed parent would then leave servers behind.
    this.#watchdog.on("error", () => {});
    this.#watchdog.stdin.on("error", () => {});
  }

  get isStopped() {
    return this.#stopping !== undefined;
  }

  add(spec) {
    const added = new ServerProcess(this, spec);
    this.#processes.push(added);
    return added;
  }

  tellWatchdog(message) {
    if (this.#watchdog.stdin.writable) this.#watchdog.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Kills what this fleet started, removes the folder, ends the watchdog. Safe to call twice. */
  stop() {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop() {
    await Promise.all(this.#processes.map((each) => each.kill()));
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
    if (this.#watchdog.exitCode !== null || this.#watchdog.pid === undefined) return;
    this.#watchdog.ref();
    const gone = once(this.#watchdog, "exit");
    this.#watchdog.stdin.end();
    await gone;
  }
}

/** Ports on 127.0.0.1 that are free now; all are held until the last is found, so that no two are the same. */
export async function freePorts(count) {
  const held = [];
  try {
    for (let attempt = 0; held.length < count; attempt += 1) {
      if (attempt === PORT_ATTEMPTS)
        throw new Error(`no ${count} free ports on 127.0.0.1 in ${attempt} tries`);
      const port = FIRST_PORT + Math.floor(Math.random() * (LAST_PORT - FIRST_PORT + 1));
      const server = await tryListen(port);
      if (server !== undefined) held.push({ port, server });
    }
    return held.map((each) => each.port);
  } finally {
    await Promise.all(held.map(({ server }) => new Promise((resolve) => server.close(resolve))));
  }
}

function tryListen(port) {
  const server = createServer();
  return new Promise((resolve) => {
    server.once("error", () => resolve(undefined));
    server.listen({ port, host: "127.0.0.1", exclusive: true }, () => resolve(server));
  });
}
