import { readFile, stat } from "node:fs/promises";
import { dirname, extname } from "node:path";
import { fileURLToPath } from "node:url";
import { problemsError } from "../core/index.js";
import type { WrittenConfig } from "./parse-config.js";
import { parseText } from "./parse-text.js";

/** A thousand channels fit. */
const MAX_FILE_BYTES = 1024 * 1024;

/** Characters of an URL that an error tells. */
const MAX_SHOWN_URL = 200;

/**
 * What a configuration file says: JSON when its name ends in `.json`, YAML (which includes JSON) otherwise.
 *
 * @throws ResilienceError `CONFIG_INVALID` when it cannot be read, or its syntax is wrong, with lines and columns
 */
export async function readConfigFile(file: string | URL): Promise<WrittenConfig> {
  const path = pathOf(file);
  const text = await readText(path);
  const parsed = parseText(text, extname(path).toLowerCase() === ".json" ? "json" : "yaml");
  if (!parsed.ok) throw problemsError(path, parsed.problems);
  return { data: parsed.value, where: path, folder: dirname(path) };
}

function pathOf(file: unknown): string {
  if (typeof file === "string" && file !== "") return file;
  if (file instanceof URL) return pathOfUrl(file);
  const shown = file === "" ? '""' : file === null ? "null" : typeof file;
  throw problemsError("Holdfast.fromFile", [`the file is ${shown}; allowed: a path or a file: URL`]);
}

function pathOfUrl(url: URL): string {
  // Without what an URL may have of secrets: user, password and query.
  const shown = `${url.protocol}//${url.host}${url.pathname}`.slice(0, MAX_SHOWN_URL);
  const refusal = (why: string) => problemsError("Holdfast.fromFile", [`the file is ${shown}; ${why}`]);
  if (url.protocol !== "file:") throw refusal("allowed: a path or a file: URL");
  try {
    return fileURLToPath(url);
  } catch {
    throw refusal("allowed: a file: URL of this machine, without an encoded slash");
  }
}

async function readText(path: string): Promise<string> {
  const bytes = await readBytes(path);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw problemsError(path, ["is no UTF-8 text"], cause);
  }
}

async function readBytes(path: string): Promise<Buffer> {
  let size: number;
  try {
    const stats = await stat(path);
    // A pipe or a device may never end.
    if (!stats.isFile()) throw new Error("it is no regular file");
    size = stats.size;
    if (size <= MAX_FILE_BYTES) return await readFile(path);
  } catch (cause) {
    throw problemsError(path, [`cannot be read: ${(cause as Error).message}`], cause);
  }
  throw problemsError(path, [`has ${size} bytes; allowed: ${MAX_FILE_BYTES} or less`]);
}
