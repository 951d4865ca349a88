import type { FileAccess, FileBytes, FileLook } from "../../../src/discovery/file/file-access.js";

/** A file system of one file under the test's control. */
export class ScriptedFile implements FileAccess {
  looks = 0;
  reads = 0;
  /** Runs at the beginning of each read, say to change the file under it. */
  onRead: () => void = () => {};
  /** True while nothing is answered: a file server that hangs. */
  #isHung = false;
  #waiting: (() => void)[] = [];
  #version = 0;
  /** Writes to the file that is there now. */
  #writes = 0;
  #bytes: Uint8Array | null = null;
  #written: Uint8Array | null = null;
  #failure = Object.assign(new Error("ENOENT: no such file or directory, stat '/x'"), { code: "ENOENT" });

  constructor(text?: string) {
    if (text !== undefined) this.write(text);
  }

  /** A finished write, or one of several that make a file. */
  write(content: string | Uint8Array): void {
    this.#bytes = typeof content === "string" ? Buffer.from(content) : content;
    this.#written = this.#bytes;
    this.#version++;
    this.#writes++;
  }

  /** Another file, renamed into the place of this one: whoever has this one open keeps it. */
  replace(content: string): void {
    this.#bytes = Buffer.from(content);
    this.#written = this.#bytes;
    this.#version++;
  }

  /** @param failure what looking at it brings from now on, until it is written again */
  remove(failure?: Error): void {
    if (failure !== undefined) this.#failure = Object.assign(failure, { code: "EACCES" });
    this.#bytes = null;
  }

  /** The file that was there, as if nothing had been. */
  bringBack(): void {
    this.#bytes = this.#written;
  }

  hang(): void {
    this.#isHung = true;
  }

  /** Answers what waits, and everything from now on. */
  goOn(): void {
    this.#isHung = false;
    for (const resolve of this.#waiting.splice(0)) resolve();
  }

  async look(): Promise<FileLook> {
    this.looks++;
    await this.#turn();
    return { stamp: String(this.#version), sizeBytes: this.#found().byteLength };
  }

  async read(): Promise<FileBytes> {
    this.reads++;
    const open = this.#bytes;
    const writes = this.#writes;
    this.onRead();
    await this.#turn();
    const isSteady = writes === this.#writes;
    return { bytes: isSteady && open !== null ? open : this.#found(), isSteady };
  }

  #found(): Uint8Array {
    if (this.#bytes === null) throw this.#failure;
    return this.#bytes;
  }

  async #turn(): Promise<void> {
    if (this.#isHung) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}
