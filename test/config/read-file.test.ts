import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readConfigFile } from "../../src/config/read-file.js";
import { isReason } from "../../src/core/errors.js";
import { ConfigFolder } from "./config-folder.js";

const isRoot = process.getuid?.() === 0;

let folder: ConfigFolder;
beforeEach(() => {
  folder = new ConfigFolder();
});
afterEach(() => folder.remove());

async function detailsOf(file: unknown): Promise<string> {
  const error = await readConfigFile(file as string).then(
    () => new Error("accepted"),
    (error: unknown) => error,
  );
  if (!isReason(error, "CONFIG_INVALID")) throw error;
  return error.details;
}

describe("a configuration file", () => {
  it("is read as JSON by its ending and as YAML by every other one", async () => {
    const yaml = folder.write("a.conf", "channels: {}");
    const json = folder.write("a.JSON", '{"channels": {}}');

    expect((await readConfigFile(yaml)).data).toEqual({ channels: {} });
    expect((await readConfigFile(json)).data).toEqual({ channels: {} });
    expect(await detailsOf(folder.write("b.json", "channels: {}"))).toContain(
      "line 1, column 1: expected a value",
    );
  });

  it("tells its folder, where relative paths in it begin", async () => {
    const path = folder.write("conf/a.yaml", "channels: {}");

    expect((await readConfigFile(path)).folder).toBe(join(folder.path, "conf"));
  });

  it("may be named by a URL, and begin with a byte order mark", async () => {
    const path = folder.write("a.json", '\ufeff{"channels": {}}');

    expect((await readConfigFile(pathToFileURL(path))).data).toEqual({ channels: {} });
  });
});

describe("a file that cannot be taken", () => {
  it.each<[string, (folder: ConfigFolder) => unknown, RegExp]>([
    ["is missing", ({ path }) => join(path, "none.yaml"), /none\.yaml: 1 problem: cannot be read: ENOENT/],
    ["is a folder", ({ path }) => path, /: 1 problem: cannot be read: it is no regular file$/],
    ["is a device that never ends", () => "/dev/zero", /: 1 problem: cannot be read: it is no regular file$/],
    ["has a path that no system takes", () => "a\0b", /: 1 problem: cannot be read: /],
    [
      "is no text",
      (it) => it.write("a.yaml", new Uint8Array([0xff, 0xfe, 0x61])),
      /: 1 problem: is no UTF-8 text$/,
    ],
    [
      "is empty",
      (it) => it.write("a.yaml", ""),
      /: 1 problem: is empty; allowed: channels, clerks, raftPeers$/,
    ],
    [
      "is too large",
      (it) => it.write("a.yaml", " ".repeat(1_048_577)),
      /: has 1048577 bytes; allowed: 1048576 or less$/,
    ],
    [
      "has two mistakes",
      (it) => it.write("a.yaml", "a: *b\nc: *d"),
      /: 2 problems: line 1, column 4: .*; line 2, column 4: /,
    ],
    [
      "is not named",
      () => undefined,
      /^Holdfast.fromFile: 1 problem: the file is undefined; allowed: a path or a file: URL$/,
    ],
    ["has an empty name", () => "", /the file is ""; allowed/],
    [
      "is on another machine",
      () => new URL("file://host/x"),
      /the file is file:\/\/host\/x; allowed: a file: URL of this machine, without an encoded slash$/,
    ],
    [
      "has a slash in a name",
      () => new URL("file:///a%2Fb"),
      /the file is file:\/\/\/a%2Fb; allowed: a file: URL of this machine, without an encoded slash$/,
    ],
    [
      "needs a password",
      () => new URL("https://me:hunter2@example.com/a?token=hunter2"),
      /the file is https:\/\/example.com\/a; allowed: a path or a file: URL$/,
    ],
    [
      "is on the web",
      () => new URL("https://example.com/a"),
      /the file is https:\/\/example.com\/a; allowed/,
    ],
  ])("says so: it %s", async (_what, fileOf, details) => {
    expect(await detailsOf(fileOf(folder))).toMatch(details);
  });

  it.skipIf(isRoot)(
    `says so: it may not be read${isRoot ? " (skipped: root may read everything)" : ""}`,
    async () => {
      const path = folder.write("a.yaml", "channels: {}");
      chmodSync(path, 0);

      expect(await detailsOf(path)).toContain("EACCES");
    },
  );

  it("says so: it stands where a folder was expected", async () => {
    mkdirSync(join(folder.path, "x"));

    expect(await detailsOf(`${folder.write("x/a", "b")}/a.yaml`)).toContain("ENOTDIR");
  });
});
