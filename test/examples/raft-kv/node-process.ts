import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../../..", import.meta.url));

/** `examples/raft-kv/node.ts` in a process of its own, which ends with the test. */
export class NodeProcess implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown[]>;
  stdout = "";
  stderr = "";

  constructor(args: readonly string[]) {
    this.#child = spawn(process.execPath, ["--import", "tsx", "examples/raft-kv/node.ts", ...args], {
      cwd: PROJECT,
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

  /** Waits for its line and returns the address it serves on. */
  async ready(): Promise<string> {
    for (;;) {
      const address = /^ready (\S+)\n/.exec(this.stdout)?.[1];
      if (address !== undefined) return address;
      if (this.#child.exitCode !== null) throw new Error(`it ended before it was ready:\n${this.stderr}`);
      await Promise.race([once(this.#child.stdout!, "data"), this.#exited]);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Its exit code, or the signal that ended it. */
  async end(): Promise<number | string> {
    await this.#exited;
    return this.#child.exitCode ?? this.#child.signalCode!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGKILL");
    await this.#exited;
  }
}
