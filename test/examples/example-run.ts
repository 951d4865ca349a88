import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** One run of `examples/etcd` by its command line, in a temporary folder of its own, so that what it leaves shows. */
export class ExampleRun implements AsyncDisposable {
  readonly #folder = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, ["--import", "tsx", "examples/etcd/main.ts", ...args], {
      cwd: PROJECT,
      env: { ...process.env, TMPDIR: this.#folder },
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
    return processes()
      .filter((each) => each.parent === this.#child.pid)
      .map((each) => each.pid);
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

function processes(): { pid: number; parent: number; state: string }[] {
  const { stdout } = spawnSync("ps", ["-A", "-o", "pid=,ppid=,stat="], { encoding: "utf8" });
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .map(([pid, parent, state]) => ({ pid: Number(pid), parent: Number(parent), state: state ?? "" }));
}
