import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** One run of an example by its command line, in a temporary folder of its own, so that what it leaves shows. */
export class ExampleRun implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  stdout = "";
  stderr = "";

  /**
   * @param main the file to run, from the project folder
   * @param env over our own environment
   */
  constructor(main: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.#child = spawn(process.execPath, ["--import", "tsx", main, ...args], {
      cwd: PROJECT,
      env: { ...process.env, TMPDIR: this.#folder, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child.stdout!.on("data", (part) => {
      this.stdout += part;
    });
    this.#child.stderr!.on("data", (part) => {
      this.stderr += part;
    });
    // `close` and not `exit`: only then has everything it printed been read.
    this.#exited = once(this.#child, "close");
  }

  /** Waits until it has printed this text on standard error. */
  async printed(text: string): Promise<void> {
    while (!this.stderr.includes(text)) {
      if (this.#child.exitCode !== null)
        throw new Error(`it ended without printing "${text}":\n${this.stderr}`);
      await Promise.race([once(this.#child.stderr!, "data"), this.#exited]);
    }
  }

  /** The processes it has started, watchdog included. */
  children(): number[] {
    return this.#children().map((each) => each.pid);
  }

  /** The ports that its children were told to listen on. */
  ports(): number[] {
    return this.#children().flatMap(({ command }) => {
      const port = /--listen 127\.0\.0\.1:(\d+)/.exec(command)?.[1];
      return port === undefined ? [] : [Number(port)];
    });
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its exit code, or the signal that ended it. */
  async end(): Promise<number | string> {
    await this.#exited;
    return this.#child.exitCode ?? this.#child.signalCode!;
  }

  /** Folders of servers that still exist; tsx keeps a cache of its own beside them. */
  leftFolders(): string[] {
    return readdirSync(this.#folder).filter((name) => name.startsWith("holdfast-"));
  }

  #children() {
    return processes().filter((each) => each.parent === this.#child.pid);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGTERM");
    await this.#exited;
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** Those of these processes that still run; one that is dead but not yet buried by its parent does not. */
export function stillRunning(pids: readonly number[]): number[] {
  return processes()
    .filter((each) => pids.includes(each.pid) && !each.state.startsWith("Z"))
    .map((each) => each.pid);
}

/** Those of these ports of this machine that somebody still listens on. */
export async function stillListening(ports: readonly number[]): Promise<number[]> {
  const answers = await Promise.all(ports.map(async (port) => ((await accepts(port)) ? [port] : [])));
  return answers.flat();
}

function accepts(port: number): Promise<boolean> {
  const socket = connect({ host: "127.0.0.1", port });
  return new Promise((resolve) => {
    const end = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.once("connect", () => end(true)).once("error", () => end(false));
  });
}

function processes(): { pid: number; parent: number; state: string; command: string }[] {
  const { stdout } = spawnSync("ps", ["-A", "-ww", "-o", "pid=,ppid=,stat=,args="], { encoding: "utf8" });
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, parent, state, ...command]) => ({
      pid: Number(pid),
      parent: Number(parent),
      state: state ?? "",
      command: command.join(" "),
    }));
}
