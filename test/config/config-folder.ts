import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parse } from "yaml";
import { testAuthority } from "../support/tls-certs.js";

const EVERY_KEY = fileURLToPath(new URL("every-key.yaml", import.meta.url));

/** A folder to put configurations in, until `remove()`. */
export class ConfigFolder {
  readonly path = mkdtempSync(join(tmpdir(), "holdfast-config-"));

  /** @returns the path of the file */
  write(name: string, content: string | Uint8Array | object): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    const isBytes = typeof content === "string" || content instanceof Uint8Array;
    writeFileSync(path, isBytes ? content : JSON.stringify(content, null, 2));
    return path;
  }

  /** The file with every key, beside the certificates that it names. */
  async everyKey(): Promise<string> {
    const authority = await testAuthority();
    const { ca, cert, key } = await authority.client();
    this.write("ca.pem", ca);
    this.write("client.pem", cert);
    this.write("client.key", key);
    const path = join(this.path, "holdfast.yaml");
    copyFileSync(EVERY_KEY, path);
    return path;
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/** The file with every key as an object. */
export function everyKeyObject(text: string): Record<string, unknown> {
  return parse(text, { merge: true });
}
