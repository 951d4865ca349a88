import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";

/** A folder of the running test, removed after it. */
export function tempFolder(): string {
  const path = mkdtempSync(join(tmpdir(), "holdfast-test-"));
  onTestFinished(() => rmSync(path, { recursive: true, force: true }));
  return path;
}
