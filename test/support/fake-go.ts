import { execFile } from "node:child_process";
import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "./temp-folder.js";

export interface Ended {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A world for the installers in `scripts/`: the user's cache is empty, and only what a test puts there is on PATH. */
export class FakeGo {
  readonly folder = tempFolder();
  readonly bin = join(this.folder, "bin");
  readonly cache = join(this.folder, "cache");

  constructor() {
    for (const path of [this.bin, this.cache]) mkdirSync(path);
  }

  /** A Go that knows `version`, and for all else does what the test says, in words of the shell alone. */
  put(command: string, version = "go0.0"): void {
    this.putProgram(
      "go",
      `if [ "$1" = version ]; then echo go version ${version} test/none; exit; fi\n${command}`,
    );
  }

  putProgram(name: string, command: string): void {
    writeFileSync(join(this.bin, name), shellScript(command), { mode: 0o755 });
  }

  remove(): void {
    rmSync(join(this.bin, "go"));
  }

  /** Runs a script of the project's by hand. */
  run(script: string): Promise<Ended> {
    const env = { PATH: this.bin, XDG_CACHE_HOME: this.cache };
    return new Promise((resolve) => {
      execFile(process.execPath, [script], { env }, (error, stdout, stderr) => {
        resolve({ exitCode: error === null ? 0 : Number(error.code), stdout, stderr });
      });
    });
  }

  /** What is in the folders of the cache that belong to one program each. */
  inCache(): string[] {
    const entries = readdirSync(this.cache, { recursive: true, withFileTypes: true });
    const programs = join(this.cache, "holdfast");
    return entries
      .filter(({ parentPath }) => ![this.cache, programs].includes(parentPath))
      .map(({ name }) => name);
  }
}

export function shellScript(command: string): string {
  return `#!/bin/sh\n${command}\n`;
}
