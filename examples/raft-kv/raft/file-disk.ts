import {
  closeSync,
  existsSync,
  fdatasyncSync,
  fstatSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  readFileSync,
  writeSync,
} from "node:fs";
import { dirname, resolve } from "node:path";
import type { Disk } from "./disk.js";

/** A file is loaded in one piece, of which Node reads 2 GiB at most: half of that leaves room, in memory too. */
export const MAX_FILE_BYTES = 1024 ** 3;

/** A `Disk` on a real file, made with its folder when they are missing. One process at a time may have it open. */
export class FileDisk implements Disk {
  readonly #path: string;
  readonly #file: number;

  constructor(path: string) {
    this.#path = resolve(path);
    const firstMade = mkdirSync(dirname(this.#path), { recursive: true });
    const isNew = !existsSync(this.#path);
    this.#file = openSync(this.#path, "a+");
    if (isNew) syncFolder(dirname(this.#path));
    // A name lives in its folder: without this a power cut may take the new folders, and the synced file in them, away.
    if (firstMade !== undefined) syncFolders(dirname(dirname(this.#path)), dirname(firstMade));
  }

  read(): Uint8Array {
    return readFileSync(this.#path);
  }

  /** @throws Error, before anything is written, when the file would pass `MAX_FILE_BYTES` */
  append(bytes: Uint8Array): void {
    const { size } = fstatSync(this.#file);
    if (size + bytes.length > MAX_FILE_BYTES) {
      throw new Error(
        `${this.#path} is full: it has ${size} bytes and would grow by ${bytes.length}; allowed: ${MAX_FILE_BYTES}, ` +
          "so that it can still be loaded",
      );
    }
    for (let written = 0; written < bytes.length; )
      written += writeSync(this.#file, bytes, written, bytes.length - written);
  }

  truncate(lengthBytes: number): void {
    ftruncateSync(this.#file, lengthBytes);
  }

  sync(): void {
    fdatasyncSync(this.#file);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** Every folder from the deepest up to and including `last`. */
function syncFolders(deepest: string, last: string): void {
  for (let folder = deepest; ; folder = dirname(folder)) {
    syncFolder(folder);
    if (folder === last || folder === dirname(folder)) return;
  }
}

function syncFolder(path: string): void {
  // Windows opens no folder as a file, and writes names through by itself.
  if (process.platform === "win32") return;
  const folder = openSync(path, "r");
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}
