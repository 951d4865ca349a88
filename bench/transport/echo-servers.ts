import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("echo-server.mjs", import.meta.url));
/** A server that has not said its port by then never will. */
const START_MS = 15_000;

/** Servers in processes of their own, so that the bench's CPU time is the client's alone. */
export class EchoServers {
  readonly #children: ChildProcess[] = [];

  /** @throws Error when one of them does not come up; all are stopped then. */
  async start(count: number): Promise<string[]> {
    try {
      return await Promise.all(Array.from({ length: count }, () => this.#startOne()));
    } catch (error) {
      this.stop();
      throw error;
    }
  }

  /** Kills each by its own id; may be called at any time, also twice. */
  stop(): void {
    for (const child of this.#children.splice(0)) child.kill("SIGKILL");
  }

  async #startOne(): Promise<string> {
    const child = spawn(process.execPath, [SCRIPT], { stdio: ["pipe", "pipe", "inherit"] });
    this.#children.push(child);
    const timeout = AbortSignal.timeout(START_MS);
    const output = createInterface({ input: child.stdout });
    const exited = once(child, "exit", { signal: timeout }).then(([code]) => {
      throw new Error(`an echo server ended with code ${code} before it listened`);
    });
    const [line] = await Promise.race([once(output, "line", { signal: timeout }), exited]);
    exited.catch(() => {});
    return `127.0.0.1:${line}`;
  }
}
