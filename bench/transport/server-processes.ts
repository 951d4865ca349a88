import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface, type Interface } from "node:readline";
import { fileURLToPath } from "node:url";

/** A server that has not said its port by then never will. */
const START_MS = 15_000;

/** A script beside this file; it prints its port first, and ends when its standard input does. */
export type ServerScript = "echo-server.mjs" | "unread-server.mjs";

export interface ServerProcess {
  readonly address: string;
  /** What it prints after its port. */
  readonly output: Interface;
}

/** Servers in processes of their own, so that the bench's CPU time and memory are the client's alone. */
export class ServerProcesses {
  readonly #children: ChildProcess[] = [];

  /** @throws Error when one of them does not come up; all are stopped then. */
  async start(script: ServerScript, count: number, ...args: readonly string[]): Promise<ServerProcess[]> {
    try {
      return await Promise.all(Array.from({ length: count }, () => this.#startOne(script, args)));
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Kills each by its own id; may be called at any time, also twice. */
  stop(): void {
    for (const child of this.#children.splice(0)) child.kill("SIGKILL");
  }

  async #startOne(script: ServerScript, args: readonly string[]): Promise<ServerProcess> {
    const path = fileURLToPath(new URL(script, import.meta.url));
    const child = spawn(process.execPath, [path, ...args], { stdio: ["pipe", "pipe", "inherit"] });
    this.#children.push(child);
    const timeout = AbortSignal.timeout(START_MS);
    const output = createInterface({ input: child.stdout });
    const exited = once(child, "exit", { signal: timeout }).then(([code]) => {
      throw new Error(`${script} ended with code ${code} before it listened`);
    });
    const [line] = await Promise.race([once(output, "line", { signal: timeout }), exited]);
    exited.catch(() => {});
    return { address: `127.0.0.1:${line}`, output };
  }
}
