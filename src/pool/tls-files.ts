import { readFileSync, type Stats, statSync } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { resolve } from "node:path";
import { isFilePath, type TlsOptions } from "../core/index.js";

/** The certificate bundle of an operating system has a quarter of this. */
const MAX_PEM_BYTES = 1024 * 1024;

/** Characters of a path that an error tells. */
const MAX_SHOWN_PATH = 200;

/** What a file holds, or why that cannot be said; null where no file is named. */
export type FileContent = Buffer | string | null;

/** What secures a channel, as PEM, wherever it came from. */
export interface TlsPems {
  readonly ca: FileContent;
  readonly cert: FileContent;
  readonly key: FileContent;
}

/** Reads one file; never throws, nor rejects. */
export interface PemFiles {
  readNow(path: string): Buffer | string;
  read(path: string): Promise<Buffer | string>;
}

/** Only regular files: reading a pipe or a device may never end. */
export const systemFiles: PemFiles = {
  readNow(path) {
    try {
      return refusalOf(path, statSync(path)) ?? readFileSync(path);
    } catch (error) {
      return unreadable(path, error);
    }
  },
  async read(path) {
    try {
      return refusalOf(path, await stat(path)) ?? (await readFile(path));
    } catch (error) {
      return unreadable(path, error);
    }
  },
};

/** Where certificates and key come from. Relative paths are made absolute once, so that they stay the same files. */
export class TlsSource {
  /** The keys of the options that name files. */
  readonly fileKeys: readonly ("caFile" | "certFile" | "keyFile")[];
  readonly #options: TlsOptions;

  /** @param folder where relative paths begin */
  constructor(
    options: TlsOptions,
    private readonly files: PemFiles = systemFiles,
    folder = ".",
  ) {
    const keys = (["caFile", "certFile", "keyFile"] as const).filter((key) => isFilePath(options[key]));
    this.fileKeys = keys;
    const paths = keys.map((key) => [key, resolve(folder, options[key] ?? "")]);
    this.#options = { ...options, ...Object.fromEntries(paths) };
  }

  /** Absolute paths in place of relative ones. */
  get options(): TlsOptions {
    return this.#options;
  }

  readNow(): TlsPems {
    const one = (file: unknown, pem: unknown): FileContent =>
      isFilePath(file) ? this.files.readNow(file) : bytesOf(pem);
    const { caFile, ca, certFile, cert, keyFile, key } = this.#options;
    return { ca: one(caFile, ca), cert: one(certFile, cert), key: one(keyFile, key) };
  }

  async read(): Promise<TlsPems> {
    const one = async (file: unknown, pem: unknown): Promise<FileContent> =>
      isFilePath(file) ? this.files.read(file) : bytesOf(pem);
    const { caFile, ca, certFile, cert, keyFile, key } = this.#options;
    return { ca: await one(caFile, ca), cert: await one(certFile, cert), key: await one(keyFile, key) };
  }
}

function bytesOf(pem: unknown): Buffer | null {
  if (typeof pem === "string") return Buffer.from(pem);
  return pem instanceof Uint8Array ? Buffer.from(pem) : null;
}

function refusalOf(path: string, stats: Stats): string | null {
  if (!stats.isFile()) return `${shown(path)} is no regular file`;
  if (stats.size <= MAX_PEM_BYTES) return null;
  return `${shown(path)} has ${stats.size} bytes; allowed: ${MAX_PEM_BYTES} or less`;
}

/** Of the error no more than its code: Node's message has the whole path. */
function unreadable(path: string, error: unknown): string {
  return `cannot be read: ${(error as NodeJS.ErrnoException).code ?? "ERROR"}: ${shown(path)}`;
}

function shown(path: string): string {
  return path.length > MAX_SHOWN_PATH ? `${path.slice(0, MAX_SHOWN_PATH)}...` : path;
}
