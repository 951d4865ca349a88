import { readFile, realpath, stat } from "node:fs/promises";

/** A file as it is at one moment. */
export interface FileLook {
  /** Differs whenever the file may have changed. */
  readonly stamp: string;
  readonly sizeBytes: number;
}

/** What is asked of the file system. */
export interface FileAccess {
  /** @throws Error (rejects) when there is no such file, or it is none */
  look(path: string): Promise<FileLook>;
  read(path: string): Promise<Uint8Array>;
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
  read: (path) => readFile(path),
};
