import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { open } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { readSteadily, systemFiles } from "../../../src/discovery/file/file-access.js";
import { tempFolder } from "../../support/temp-folder.js";

const SINCE = new Date(1_700_000_000_000);

/** A file whose times say nothing. */
function aged(path: string, text: string): string {
  writeFileSync(path, text);
  utimesSync(path, SINCE, SINCE);
  return path;
}

/** Changes a file so that its inode time alone tells, which may be as coarse as the kernel's tick. */
function rewrite(path: string): void {
  const { ctimeNs } = statSync(path, { bigint: true });
  do aged(path, "[b:2]");
  while (statSync(path, { bigint: true }).ctimeNs === ctimeNs);
}

describe("a look at a file", () => {
  it("is the same while nothing happens to the file", async () => {
    const path = aged(join(tempFolder(), "e.yaml"), "[a:1]");

    const looks = [await systemFiles.look(path), await systemFiles.look(path)];

    expect(looks[0]).toEqual(looks[1]);
    expect(looks[0]?.sizeBytes).toBe(5);
  });

  it("shows a file of equal size and age that was renamed into its place", async () => {
    const folder = tempFolder();
    const path = aged(join(folder, "e.yaml"), "[a:1]");
    const before = await systemFiles.look(path);

    renameSync(aged(join(folder, "new"), "[b:2]"), path);

    expect((await systemFiles.look(path)).stamp).not.toBe(before.stamp);
  });

  it("shows a write that leaves size and time of change as they were", async () => {
    const path = aged(join(tempFolder(), "e.yaml"), "[a:1]");
    const before = await systemFiles.look(path);
    // Inode times may be as coarse as the kernel's tick.
    let after = before;

    while (after.stamp === before.stamp) {
      aged(path, "[b:2]");
      after = await systemFiles.look(path);
    }

    expect(after.sizeBytes).toBe(before.sizeBytes);
  });

  it("shows that a link on the way leads somewhere else, as in a ConfigMap", async () => {
    const folder = tempFolder();
    for (const version of ["v1", "v2"]) {
      mkdirSync(join(folder, version));
      aged(join(folder, version, "e.yaml"), "[a:1]");
    }
    symlinkSync("v1", join(folder, "data"));
    symlinkSync(join("data", "e.yaml"), join(folder, "e.yaml"));
    const before = await systemFiles.look(join(folder, "e.yaml"));

    symlinkSync("v2", join(folder, "fresh"));
    renameSync(join(folder, "fresh"), join(folder, "data"));

    expect((await systemFiles.look(join(folder, "e.yaml"))).stamp).not.toBe(before.stamp);
  });

  it("shows another path to the same file, as some file systems number no files", async () => {
    const folder = tempFolder();
    const path = aged(join(folder, "v1"), "[a:1]");
    linkSync(path, join(folder, "v2"));
    symlinkSync("v1", join(folder, "e.yaml"));
    const before = await systemFiles.look(join(folder, "e.yaml"));

    rmSync(join(folder, "e.yaml"));
    symlinkSync("v2", join(folder, "e.yaml"));

    expect((await systemFiles.look(join(folder, "e.yaml"))).stamp).not.toBe(before.stamp);
  });

  it("refuses a folder, and what is no regular file", async () => {
    await expect(systemFiles.look(tempFolder())).rejects.toThrow("it is a folder");
    await expect(systemFiles.look("/dev/null")).rejects.toThrow("it is no regular file");
  });

  it("refuses what is not there", async () => {
    const path = aged(join(tempFolder(), "e.yaml"), "[a:1]");
    rmSync(path);

    await expect(systemFiles.look(path)).rejects.toThrow("ENOENT");
    await expect(systemFiles.read(path)).rejects.toThrow("ENOENT");
  });

  it("reads the bytes", async () => {
    const path = aged(join(tempFolder(), "e.yaml"), "[a:1]");
    chmodSync(path, 0o400);

    const { bytes, isSteady } = await systemFiles.read(path);

    expect([String(Buffer.from(bytes)), isSteady]).toEqual(["[a:1]", true]);
  });
});

describe("a file that changes while it is read", () => {
  /** Reads the file, to which this happens when half of that is done. */
  async function readWhile(path: string, change: () => void) {
    const file = await open(path);
    const readFile = async () => {
      const bytes = await file.readFile();
      change();
      return bytes;
    };
    try {
      return await readSteadily({ stat: (options) => file.stat(options), readFile });
    } finally {
      await file.close();
    }
  }

  it("is whole where another one is renamed into its place", async () => {
    const folder = tempFolder();
    const path = aged(join(folder, "e.yaml"), "[a:1]");

    const { bytes, isSteady } = await readWhile(path, () => {
      renameSync(aged(join(folder, "new"), "[b:2]"), path);
    });

    expect([String(Buffer.from(bytes)), isSteady]).toEqual(["[a:1]", true]);
  });

  it.each<[string, (path: string) => void]>([
    ["written to", (path) => writeFileSync(path, "[b:2]")],
    ["made longer, at the same time of change", (path) => aged(path, "[a:1, b:2]")],
    ["written to, at the same size and time of change", rewrite],
    [
      "written to, and then replaced",
      (path) => {
        writeFileSync(path, "[b:2]");
        rmSync(path);
      },
    ],
    [
      "made longer, at the same time of change, and then replaced",
      (path) => {
        rmSync(aged(path, "[a:1, b:2]"));
      },
    ],
    ["made shorter, at the same time of change", (path) => aged(path, "")],
  ])("is told to be unsteady where it is %s", async (_, change) => {
    const path = aged(join(tempFolder(), "e.yaml"), "[a:1]");

    const { isSteady } = await readWhile(path, () => change(path));

    expect(isSteady).toBe(false);
  });
});
