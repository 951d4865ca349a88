import { X509Certificate } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { resolve } from "node:path";
import { createSecureContext } from "node:tls";
import { isFilePath, type TlsMaterial, type TlsOptions } from "../call/tls-options.js";

export interface TlsProblem {
  readonly file: keyof TlsOptions;
  readonly message: string;
}

/** The certificate bundle of an operating system has a quarter of this. */
const MAX_PEM_BYTES = 1024 * 1024;

/** Characters of a path that an error tells. */
const MAX_SHOWN_PATH = 200;

/** Reads PEM files, each once, so that what was checked is what is used. */
export class TlsFiles {
  readonly #folder: string;
  readonly #read = new Map<string, Buffer | string>();

  /** @param folder where relative paths begin */
  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Tries whether the files are what TLS needs, so that no first call finds out. */
  problemsOf(tls: TlsOptions): TlsProblem[] {
    const problems: TlsProblem[] = [];
    for (const file of ["caFile", "certFile", "keyFile"] as const) {
      const found = this.#bytes(tls[file]);
      if (typeof found === "string") problems.push({ file, message: found });
    }
    const { ca, cert, key } = this.materialOf(tls);
    if (ca !== null && !holdsCertificates(ca)) {
      problems.push({ file: "caFile", message: "holds no PEM certificate, or a damaged one" });
    }
    const isCert = cert !== null && isAccepted({ cert });
    const isKey = key !== null && isAccepted({ key });
    if (cert !== null && !isCert) {
      problems.push({ file: "certFile", message: "holds no PEM certificate, or a damaged one" });
    }
    if (key !== null && !isKey) {
      problems.push({ file: "keyFile", message: "holds no PEM private key without a passphrase" });
    }
    if (isCert && isKey && !isAccepted({ cert, key })) {
      problems.push({ file: "keyFile", message: "is not the private key of certFile" });
    }
    return problems;
  }

  materialOf(tls: TlsOptions): TlsMaterial {
    const buffer = (path: unknown): Buffer | null => {
      const found = this.#bytes(path);
      return typeof found === "string" ? null : found;
    };
    return { ca: buffer(tls.caFile), cert: buffer(tls.certFile), key: buffer(tls.keyFile) };
  }

  /** The bytes, or why there are none; null when no file is named, or not as it should be. */
  #bytes(path: unknown): Buffer | string | null {
    if (!isFilePath(path)) return null;
    const full = resolve(this.#folder, path);
    const found = this.#read.get(full) ?? readPem(full);
    this.#read.set(full, found);
    return found;
  }
}

/** Only regular files: reading a pipe or a device may never end. */
function readPem(path: string): Buffer | string {
  const shown = path.length > MAX_SHOWN_PATH ? `${path.slice(0, MAX_SHOWN_PATH)}...` : path;
  try {
    const stat = statSync(path);
    if (!stat.isFile()) return `${shown} is no regular file`;
    if (stat.size > MAX_PEM_BYTES)
      return `${shown} has ${stat.size} bytes; allowed: ${MAX_PEM_BYTES} or less`;
    return readFileSync(path);
  } catch (error) {
    // Of the error no more than its code: Node's message has the whole path.
    return `cannot be read: ${(error as NodeJS.ErrnoException).code ?? "ERROR"}: ${shown}`;
  }
}

/** Node passes over what is no certificate, and would then trust fewer authorities than were meant, or none. */
function holdsCertificates(pem: Buffer): boolean {
  const blocks = pem.toString("latin1").split("-----BEGIN CERTIFICATE-----").slice(1);
  return blocks.length > 0 && blocks.every((block) => isCertificate(`-----BEGIN CERTIFICATE-----${block}`));
}

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}

function isAccepted(options: { cert?: Buffer; key?: Buffer }): boolean {
  try {
    createSecureContext(options);
    return true;
  } catch {
    return false;
  }
}
