import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** A clone with our scripts and one source file, in whose demo a test's own program stands. */
export class FakeClone implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), "holdfast-clone-"));

  /** @param demo TypeScript that runs in the place of the demo; `SHARED` in it is where `examples/shared` is */
  constructor(demo = "") {
    for (const name of [
      "scripts",
      "package.json",
      "package-lock.json",
      "tsconfig.json",
      "tsconfig.build.json",
    ])
      cpSync(join(PROJECT, name), join(this.folder, name), { recursive: true });
    symlinkSync(join(PROJECT, "node_modules"), join(this.folder, "node_modules"), "dir");
    // Older than any installation, or the packages would be taken for outdated.
    utimesSync(join(this.folder, "package-lock.json"), 0, 0);
    this.write("src/index.ts", "export const version = 1;\n");
    const shared = join(PROJECT, "examples/shared");
    this.write("examples/raft-kv/demo/main.ts", demo.replaceAll("SHARED", shared));
  }

  write(path: string, text: string): void {
    const file = join(this.folder, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), "utf8");
  }

  /** What is in a folder, nothing when it is not there. */
  list(path = ""): string[] {
    try {
      return readdirSync(join(this.folder, path));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
      throw error;
    }
  }

  node(args: readonly string[], env: NodeJS.ProcessEnv = {}): CloneRun {
    return new CloneRun(this.folder, process.execPath, args, env);
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 50 });
  }
}

/** A command that runs in a clone. */
export class CloneRun implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  output = "";

  constructor(cwd: string, command: string, args: readonly string[], env: NodeJS.ProcessEnv) {
    const { npm_lifecycle_event: _, ...inherited } = process.env;
    this.#child = spawn(command, args, {
      cwd,
      env: { ...inherited, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    for (const out of [this.#child.stdout!, this.#child.stderr!])
      out.on("data", (part) => {
        this.output += part;
      });
    this.#closed = once(this.#child, "close");
  }

  /** Waits until it has printed this. */
  async printed(text: string): Promise<void> {
    while (!this.output.includes(text)) {
      if (this.#child.exitCode !== null) throw new Error(`it never printed "${text}":\n${this.output}`);
      const more = [this.#child.stdout!, this.#child.stderr!].map((out) => once(out, "data"));
      await Promise.race([...more, this.#closed]);
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Reads no more of an output, as `head` does once it has enough. */
  closeOutput(name: "stdout" | "stderr"): void {
    this.#child[name]!.destroy();
  }

  /** Its exit code, or the signal that ended it; all who share its outputs have ended then as well. */
  async end(): Promise<number | string> {
    await this.#closed;
    return this.#child.exitCode ?? this.#child.signalCode!;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.kill("SIGTERM");
    await this.#closed;
  }
}
