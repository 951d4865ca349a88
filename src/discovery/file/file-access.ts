import type { BigIntStats } from "node:fs";
import { open, realpath, stat } from "node:fs/promises";

/** A file as it is at one moment. */
export interface FileLook {
  /** Differs whenever the file may have changed. */
  readonly stamp: string;
  readonly sizeBytes: number;
}

/** What was read of a file. */
export interface FileBytes {
  readonly bytes: Uint8Array;
  /**
   * True where nobody wrote to this file meanwhile. Another one that was renamed into its place does not matter: what was
   * open is whole.
   */
  readonly isSteady: boolean;
}

/** What is asked of the file system. */
export interface FileAccess {
  /** @throws Error (rejects) when there is no such file, or it is none */
  look(path: string): Promise<FileLook>;
  read(path: string): Promise<FileBytes>;
}

/** The file system of this machine. */
export const systemFiles: FileAccess = {
  /**
   * All that can tell of a change: a rename puts another inode there; a symbolic link on the way, as a ConfigMap of
   * Kubernetes has it, leads to another path; a write changes times, and mostly the size.
   */
  async look(path) {
    const [real, stats] = await Promise.all([realpath(path), stat(path, { bigint: true })]);
    // A pipe or a device may never end.
    if (!stats.isFile()) throw new Error(stats.isDirectory() ? "it is a folder" : "it is no regular file");
    const { dev, ino, size, mtimeNs, ctimeNs } = stats;
    return { stamp: [dev, ino, size, mtimeNs, ctimeNs, real].join(" "), sizeBytes: Number(size) };
  },
  async read(path) {
    const file = await open(path);
    try {
      return await readSteadily(file);
    } finally {
      await file.close();
    }
  },
};

/** The part of a `FileHandle` that reading takes. */
export interface OpenFile {
  stat(options: { bigint: true }): Promise<BigIntStats>;
  readFile(): Promise<Uint8Array>;
}

/** Reads an open file, and looks at it before and after. */
export async function readSteadily(file: OpenFile): Promise<FileBytes> {
  const before = await file.stat({ bigint: true });
  const bytes = await file.readFile();
  const after = await file.stat({ bigint: true });
  return { bytes, isSteady: isUnwritten(before, after) };
}

/** A file that is replaced loses its name, which changes its ctime as well; a write changes mtime. */
function isUnwritten(before: BigIntStats, after: BigIntStats): boolean {
  const isRenamed = before.nlink !== after.nlink;
  const isSame = before.size === after.size && before.mtimeNs === after.mtimeNs;
  return isSame && (isRenamed || before.ctimeNs === after.ctimeNs);
}
