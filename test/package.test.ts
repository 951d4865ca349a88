/** What a user gets from the registry: the packed files, loaded and compiled against as an installed package. */
import { spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const tsc = join(root, "node_modules/typescript/bin/tsc");
const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** A stranger's project; its path is real, since the compiler prints real paths. */
let project = "";
let packed: readonly string[] = [];

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-package-")));
  if (!existsSync(join(root, "dist/index.js")))
    run(process.execPath, [tsc, "-p", "tsconfig.build.json"], root);
  packed = installInto(project);
}, 120_000);

afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

it("ships the built package with its papers and protos, and nothing else", () => {
  const expected = [
    "package.json",
    "README.md",
    "CHANGELOG.md",
    "LICENSE",
    "dist/index.js",
    "dist/index.d.ts",
  ];

  expect(expected.filter((path) => !packed.includes(path))).toEqual([]);
  expect(packed.some((path) => /^proto\/.*\.proto$/.test(path))).toBe(true);
  expect(packed.filter((path) => !expected.includes(path) && !/^(dist|proto|docs)\//.test(path))).toEqual([]);
  expect(
    packed.filter((path) => /^dist\//.test(path) && !/\.(js|d\.ts|js\.map|d\.ts\.map)$/.test(path)),
  ).toEqual([]);
});

it("ships every page of docs that its README links to, and nothing there but pages", () => {
  const readme = readFileSync(join(project, "node_modules/holdfast/README.md"), "utf8");
  const linked = [...readme.matchAll(/\]\((docs\/[^)#]+)/g)].map(([, path = ""]) => path);

  expect(linked.length).toBeGreaterThan(3);
  // A link may name a folder.
  expect(
    linked.filter((link) => !packed.some((path) => path === link || path.startsWith(`${link}/`))),
  ).toEqual([]);
  expect(packed.filter((path) => path.startsWith("docs/") && !path.endsWith(".md"))).toEqual([]);
});

it("loads from an ES module", () => {
  const script = 'import { harden } from "holdfast"; console.log(typeof harden === "function");';

  expect(runScript("consumer.mjs", script)).toBe("true\n");
});

it("loads by require() from CommonJS", () => {
  const script = 'const { harden } = require("holdfast"); console.log(typeof harden === "function");';

  expect(runScript("consumer.cjs", script)).toBe("true\n");
});

it("names every subpath it exports by a file that is there", () => {
  const subpaths = ["", "/package.json", "/proto/raftpb/raft.proto"].map((path) => `holdfast${path}`);
  const script = `for (const path of ${JSON.stringify(subpaths)}) console.log(require.resolve(path));`;

  const installed = join(project, "node_modules/holdfast");
  const files = ["dist/index.js", "package.json", "proto/raftpb/raft.proto"].map((path) =>
    join(installed, path),
  );
  expect(runScript("paths.cjs", script).trim().split("\n")).toEqual(files);
});

it("gives strict TypeScript users sound types, from ES modules and from CommonJS", () => {
  const source = `
    import { Client, credentials } from "@grpc/grpc-js";
    import { callOptions, harden } from "holdfast";
    class Users extends Client {
      hello(name: string): string { return name; }
    }
    const secure = credentials.createInsecure();
    const users: Users = harden(new Users("127.0.0.1:1", secure), {
      target: "static:///127.0.0.1:1,127.0.0.1:2",
      credentials: secure,
    });
    export const text: string = users.hello("x");
    export const options = callOptions({ timeoutMs: 500, idempotent: true });
    // @ts-expect-error a typo in an option is a compile error, which also shows that the types are not any
    harden(users, { tagret: "static:///127.0.0.1:1", credentials: secure });
  `;
  writeFileSync(join(project, "consumer.mts"), source);
  writeFileSync(join(project, "consumer.cts"), source);
  const compilerOptions = {
    target: "es2022",
    module: "nodenext",
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    noUncheckedIndexedAccess: true,
    noPropertyAccessFromIndexSignature: true,
    skipLibCheck: false,
    noEmit: true,
  };
  const files = ["consumer.mts", "consumer.cts"];
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify({ compilerOptions, files }));

  // Every declaration file is checked, but those of other packages are not ours to judge.
  const result = spawnSync(process.execPath, [tsc, "--pretty", "false"], { cwd: project, encoding: "utf8" });
  const errors = result.stdout.split("\n").filter((line) => /error TS\d+/.test(line));
  expect(errors.filter((line) => !/^(\.\.\/)+.*\/node_modules\//.test(line))).toEqual([]);
}, 60_000);

/** Packs the project and unpacks it where an installation would put it; only declared dependencies are beside it. */
function installInto(folder: string): string[] {
  const args = ["pack", "--json", "--ignore-scripts", "--pack-destination", folder];
  const [report] = JSON.parse(run("npm", args, root));
  const target = join(folder, "node_modules/holdfast");
  mkdirSync(target, { recursive: true });
  run("tar", ["-xzf", join(folder, report.filename), "-C", target, "--strip-components=1"], folder);
  const declared = Object.keys({ ...manifest.dependencies, ...manifest.peerDependencies });
  for (const name of [...declared, "@types/node"]) {
    const link = join(folder, "node_modules", name);
    mkdirSync(dirname(link), { recursive: true });
    symlinkSync(join(root, "node_modules", name), link, "junction");
  }
  return report.files.map((file: { path: string }) => file.path);
}

function runScript(name: string, script: string): string {
  writeFileSync(join(project, name), script);
  return run(process.execPath, [name], project);
}

/** @throws with everything the command printed when it fails. */
function run(command: string, args: readonly string[], cwd: string): string {
  // The test runner's own loaders and conditions must not reach a stranger's process.
  const { NODE_OPTIONS: _, ...env } = process.env;
  const result = spawnSync(command, args, { cwd, env, encoding: "utf8" });
  if (result.status === 0) return result.stdout;
  throw new Error(
    `${command} ${args.join(" ")} failed\n${result.error ?? ""}${result.stdout}${result.stderr}`,
  );
}
