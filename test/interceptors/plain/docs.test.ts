/** The pages of docs/interceptors: their examples compile as a user would type them, and their tables are complete. */
import { spawnSync } from "node:child_process";
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";
import { concurrencyLimitOptionsSchema } from "../../../src/breaker/index.js";
import {
  authOptionsSchema,
  breakerInterceptorOptionsSchema,
  deadlineOptionsSchema,
  hooksSchema,
  loggingOptionsSchema,
  metadataOptionsSchema,
} from "../../../src/interceptors/plain/plain-options.js";
import {
  hedgingInterceptorOptionsSchema,
  retryInterceptorOptionsSchema,
} from "../../../src/interceptors/retry/repeat-options.js";

const root = fileURLToPath(new URL("../../..", import.meta.url));

const PAGES = {
  deadline: deadlineOptionsSchema,
  breaker: breakerInterceptorOptionsSchema,
  "concurrency-limit": concurrencyLimitOptionsSchema,
  metadata: metadataOptionsSchema,
  auth: authOptionsSchema,
  logging: loggingOptionsSchema,
  hooks: hooksSchema,
  retry: retryInterceptorOptionsSchema,
  hedging: hedgingInterceptorOptionsSchema,
} as const;
const names = Object.keys(PAGES) as (keyof typeof PAGES)[];

const USERS = `
import { type CallOptions, Client, type ClientUnaryCall, type ServiceError } from "@grpc/grpc-js";
export interface GetUserRequest { id: number }
export interface User { name: string }
export declare class UserServiceClient extends Client {
  getUser(request: GetUserRequest, callback: (error: ServiceError | null, user?: User) => void): ClientUnaryCall;
  getUser(
    request: GetUserRequest,
    options: CallOptions,
    callback: (error: ServiceError | null, user?: User) => void,
  ): ClientUnaryCall;
}`;

const COMPILER = {
  compilerOptions: {
    target: "es2023",
    lib: ["es2023", "esnext.disposable"],
    module: "nodenext",
    moduleResolution: "nodenext",
    types: ["node"],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    paths: { holdfast: [join(root, "src/index.ts")] },
  },
  include: ["*.ts", "gen/*.ts"],
};

let project = "";

beforeAll(() => {
  project = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-docs-")));
  symlinkSync(join(root, "node_modules"), join(project, "node_modules"));
  mkdirSync(join(project, "gen"));
  writeFileSync(join(project, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(project, "gen/users.ts"), USERS);
  writeFileSync(join(project, "tsconfig.json"), JSON.stringify(COMPILER));
});

afterAll(() => {
  rmSync(project, { recursive: true, force: true });
});

function page(name: string): string {
  return readFileSync(join(root, "docs/interceptors", `${name}.md`), "utf8");
}

function examplesOf(name: string): string[] {
  return [...page(name).matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => match[1] ?? "");
}

it("gives examples that compile as they stand", () => {
  for (const name of names) {
    const examples = examplesOf(name);
    expect(examples.length, name).toBeGreaterThan(0);
    for (const [index, code] of examples.entries()) writeFileSync(join(project, `${name}-${index}.ts`), code);
  }

  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const { stdout } = spawnSync(process.execPath, [tsc, "-p", "."], { cwd: project, encoding: "utf8" });

  // What is wrong in the sources of the package is told elsewhere.
  const own = stdout.split("\n").filter((line) => line.includes("error TS") && !/^\S*\/src\//.test(line));
  expect(own).toEqual([]);
}, 60_000);

it.each(names)("lists every option of the %s interceptor, and no other", (name) => {
  const listed = [...page(name).matchAll(/^\| `(\w+)` \| (?!.*→)/gm)].map((match) => match[1]);
  const states = ["closed", "open"];

  expect(listed.filter((option) => !states.includes(option ?? "")).sort()).toEqual(
    Object.keys(PAGES[name].shape).sort(),
  );
});

it.each(names)("says what the %s interceptor cannot do without the pool", (name) => {
  expect(page(name)).toContain("**What it cannot do without the pool.**");
});
