import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";

const root = fileURLToPath(new URL("../..", import.meta.url));

it("is what generation makes of the protos today", async () => {
  const output = await mkdtemp(join(tmpdir(), "holdfast-gen-"));
  try {
    await promisify(execFile)(process.execPath, [join(root, "scripts/gen.mjs"), output]);

    const fresh = await sources(join(output, "src/gen"));
    expect(Object.keys(fresh)).toHaveLength(9);
    expect(await sources(join(root, "src/gen"))).toEqual(fresh);
  } finally {
    await rm(output, { recursive: true });
  }
});

/** Every file under a folder, by relative path. */
async function sources(folder: string): Promise<Record<string, string>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(
      files.sort().map(async (file) => [relative(folder, file), await readFile(file, "utf8")]),
    ),
  );
}
