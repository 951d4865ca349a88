/** Programs that the tests need and that are built once per machine, into the user's cache folder. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join, resolve } from "node:path";
import { fileNameOf } from "./on-path.mjs";

/** One program at one release. Any number of processes may look for it and build it at once. */
export class CachedProgram {
  #name;
  #program;
  #limitMs;

  /** `release` names program and version in the cache; no build takes longer than `limitMs`. */
  constructor({ release, program, limitMs }) {
    this.#name = `${release}-${process.platform}-${process.arch}`;
    this.#program = fileNameOf(program);
    this.#limitMs = limitMs;
  }

  /** Full path of the program, or undefined while it is not built. */
  find() {
    const path = join(this.#folder, this.#program);
    return existsSync(path) ? path : undefined;
  }

  /**
   * Builds it and returns its path. `build` is given a folder of its own to put the program into, and where it will be
   * in the end; only the finished program is moved there. `tell` hears how long it took.
   */
  async install(build, tell) {
    mkdirSync(this.#folder, { recursive: true });
    this.#removeAbandoned();
    const building = mkdtempSync(join(this.#folder, "build-"));
    try {
      const start = performance.now();
      await build(building, this.#folder);
      const path = join(this.#folder, this.#program);
      renameSync(join(building, this.#program), path);
      tell(`installed in ${((performance.now() - start) / 1000).toFixed(1)} s`);
      return path;
    } finally {
      rmSync(building, { recursive: true, force: true });
    }
  }

  /** Outside the project, so that clones share it, and by release, so that another pin is another program. */
  get #folder() {
    return resolve(cacheOfUser(), "holdfast", this.#name);
  }

  /** Folders older than twice what a build may take belong to builds that were killed. */
  #removeAbandoned() {
    const builtSince = Date.now() - 2 * this.#limitMs;
    const abandoned = readdirSync(this.#folder)
      .filter((name) => name.startsWith("build-"))
      .map((name) => join(this.#folder, name))
      .filter((path) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? builtSince) < builtSince);
    for (const path of abandoned) rmSync(path, { recursive: true, force: true });
  }
}

/** Where the platform wants caches. */
function cacheOfUser() {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = process.env;
  if (XDG_CACHE_HOME) return XDG_CACHE_HOME;
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches");
  if (process.platform === "win32") return LOCALAPPDATA ?? join(homedir(), "AppData", "Local");
  return join(homedir(), ".cache");
}
