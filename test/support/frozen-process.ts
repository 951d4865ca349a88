import { type ChildProcessWithoutNullStreams, spawn, spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { turns, until } from "./event-loop.js";

const CHILD_SERVER = fileURLToPath(new URL("./child-server.mjs", import.meta.url));

export interface ChildOptions {
  /** A plain JavaScript file that prints `{"port":N}` once it listens; the echoing Counter server by default. */
  readonly script?: string;
  /** The text of an ES module to run instead, with imports as seen from the working directory. */
  readonly source?: string;
  /** Arguments of the script; the Counter server takes the port to listen on. */
  readonly args?: readonly string[];
}

/**
 * A server process that can be frozen: it stays on the network, its kernel still accepts and acknowledges, and no byte
 * ever comes back. That is a garbage collection that does not end, a stuck disk, a suspended machine.
 */
export class FrozenProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #gone: Promise<void>;
  readonly #killOnExit = (): void => void this.#child.kill("SIGKILL");
  #errors = "";
  #isGone = false;
  #port = 0;

  private constructor(options: ChildOptions) {
    const code =
      options.source === undefined
        ? [options.script ?? CHILD_SERVER]
        : ["--input-type=module", "-e", options.source];
    const command = [process.execPath, ...code, ...(options.args ?? [])];
    // A frozen child cannot notice that its stdin closed; where setpriv can do it (Linux), the kernel kills it with us.
    if (canDieWithParent()) command.unshift("setpriv", "--pdeathsig", "KILL");
    this.#child = spawn(command[0]!, command.slice(1), { stdio: "pipe" });
    this.#child.stderr.on("data", (chunk) => {
      this.#errors = (this.#errors + chunk).slice(-2_000);
    });
    // EPIPE, when the child is gone before us.
    this.#child.stdin.on("error", () => {});
    process.once("exit", this.#killOnExit);
    this.#gone = new Promise<void>((resolve) => {
      this.#child.once("error", () => resolve());
      this.#child.once("close", () => resolve());
    }).then(() => {
      this.#isGone = true;
      process.off("exit", this.#killOnExit);
    });
  }

  /** @throws Error with what the child wrote to stderr, when it ends before it has printed a port. */
  static async start(options: ChildOptions = {}): Promise<FrozenProcess> {
    const started = new FrozenProcess(options);
    started.#port = await started.#printedPort();
    return started;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.#port}`;
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** False once it has ended, by whatever cause. */
  get isRunning(): boolean {
    return !this.#isGone;
  }

  /** SIGSTOP; resolves when the process stands still. */
  async freeze(): Promise<void> {
    this.#child.kill("SIGSTOP");
    if (process.platform === "linux") await until(() => this.#isStopped(), `freezing process ${this.pid}`);
    else await turns(5);
  }

  /** SIGCONT: it goes on where it stood, answering calls whose callers may long have left. */
  thaw(): void {
    this.#child.kill("SIGCONT");
  }

  /** SIGKILL, frozen or not: a crash, where the kernel closes the connections. Resolves when the process is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }

  /** Closes the child's stdin, as its parent's death would; resolves when the process has ended. */
  async abandon(): Promise<void> {
    this.#child.stdin.end();
    await this.#gone;
  }

  async close(): Promise<void> {
    await this.kill();
  }

  #isStopped(): boolean {
    // "pid (name) state ...", where the name may contain anything but the last parenthesis.
    return (
      this.#isGone ||
      readFileSync(`/proc/${this.pid}/stat`, "utf8").split(") ").at(-1)?.startsWith("T") === true
    );
  }

  #printedPort(): Promise<number> {
    return new Promise((resolve, reject) => {
      let printed = "";
      this.#child.stdout.on("data", (chunk) => {
        printed = (printed + chunk).slice(-2_000);
        const port = /\{"port":(\d+)\}/.exec(printed)?.[1];
        if (port !== undefined) resolve(Number(port));
      });
      void this.#gone.then(() =>
        reject(new Error(`the child ended before it printed a port: ${this.#errors}`)),
      );
    });
  }
}

let diesWithParent: boolean | undefined;

/** Tried out, because the setpriv of small systems (busybox) lacks this option. */
function canDieWithParent(): boolean {
  diesWithParent ??= spawnSync("setpriv", ["--pdeathsig", "KILL", "true"]).status === 0;
  return diesWithParent;
}
