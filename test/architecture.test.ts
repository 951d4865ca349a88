/**
 * Who may import whom (CONTRIBUTING.md, "Tiers"), read from the real syntax trees of src/ and examples/.
 * One file on purpose: each rule has, further down, the made-up source that shows it can fail.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { posix } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { parseAst } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Lowest first; a unit is a folder of src/ or a file directly in it. Equal ranks are beside each other. */
const TIERS: readonly (readonly string[])[] = [
  ["core", "gen"],
  ["retry", "breaker", "discovery"],
  ["pool"],
  ["call"],
  ["interceptors"],
  ["raft-peer", "telemetry"],
  ["config"],
  ["holdfast.ts"],
  ["cli", "index.ts"],
];

const GRPC = "@grpc/grpc-js";
const GRPC_USERS = ["pool", "call", "interceptors", "raft-peer", "gen"];
const GRPC_VALUE_USERS = ["core", "retry", "breaker"];
const GRPC_VALUES = ["status", "Metadata"];

/** Adapters, two at most, for what grpc-js does not promise to keep. */
const UNSTABLE_API_FILES = ["src/pool/dial-credentials.ts", "src/call/grpc-js-resolvers.ts"];
/** Underscore names that Node's own streams ask their subclasses for. */
const NODE_STREAM_HOOKS = [
  "_construct",
  "_destroy",
  "_final",
  "_flush",
  "_read",
  "_transform",
  "_write",
  "_writev",
];

const TIME_AND_CHANCE_FILES = ["src/core/clock.ts", "src/core/random.ts"];
const MAX_LINES = 250;

interface Node {
  readonly type: string;
  readonly [key: string]: unknown;
}

interface Import {
  readonly specifier: string;
  /** True when nothing of it is left at run time. */
  readonly isType: boolean;
  /** Imported names that exist at run time; `*` for all of them. */
  readonly values: readonly string[];
  /** Project path, when the specifier is relative or the package's own name. */
  readonly target?: string;
}

interface SourceFile {
  readonly path: string;
  readonly text: string;
  readonly nodes: readonly Node[];
  readonly imports: readonly Import[];
}

type Rule = (files: readonly SourceFile[]) => string[];

// ---- reading

function readFolder(folder: string, extensions: RegExp): SourceFile[] {
  if (!existsSync(`${root}${folder}`)) return [];
  return readdirSync(`${root}${folder}`, { recursive: true, encoding: "utf8" })
    .map((name) => posix.join(folder, name.replaceAll("\\", "/")))
    .filter((path) => extensions.test(path) && !path.includes("node_modules/"))
    .sort()
    .map((path) => parse(path, readFileSync(`${root}${path}`, "utf8")));
}

function parse(path: string, text: string): SourceFile {
  const lang = path.endsWith("ts") ? "ts" : "js";
  let program: unknown;
  try {
    program = parseAst(text, { lang, astType: "ts" });
  } catch (cause) {
    throw new Error(`${path} does not parse`, { cause });
  }
  const nodes = [...walk(program)];
  return { path, text, nodes, imports: nodes.flatMap((node) => importOf(node, path)) };
}

function* walk(value: unknown): Generator<Node> {
  if (Array.isArray(value)) {
    for (const item of value) yield* walk(item);
  } else if (isNode(value)) {
    yield value;
    for (const child of Object.values(value)) if (typeof child === "object") yield* walk(child);
  }
}

function isNode(value: unknown): value is Node {
  return typeof value === "object" && value !== null && typeof (value as Node).type === "string";
}

function importOf(node: Node, path: string): Import[] {
  const found = (source: unknown, isType: boolean, values: readonly string[]): Import[] => {
    const specifier = literal(source);
    if (specifier === undefined) return [];
    const target = resolve(path, specifier);
    return [{ specifier, isType, values, ...(target === undefined ? {} : { target }) }];
  };
  switch (node.type) {
    case "ImportDeclaration":
      return found(
        node["source"],
        node["importKind"] === "type",
        runtimeNames(node, "importKind", "imported"),
      );
    case "ExportNamedDeclaration":
      return found(node["source"], node["exportKind"] === "type", runtimeNames(node, "exportKind", "local"));
    case "ExportAllDeclaration":
      return found(node["source"], node["exportKind"] === "type", node["exportKind"] === "type" ? [] : ["*"]);
    case "TSImportType":
      return found(node["source"], true, []);
    case "ImportExpression":
      return found(node["source"], false, ["*"]);
    case "TSExternalModuleReference":
      return found(node["expression"], false, ["*"]);
    case "CallExpression":
      return name(node["callee"]) === "require"
        ? found((node["arguments"] as unknown[])[0], false, ["*"])
        : [];
    default:
      return [];
  }
}

function runtimeNames(node: Node, kindKey: string, nameKey: string): string[] {
  if (node[kindKey] === "type") return [];
  return (node["specifiers"] as Node[])
    .filter((specifier) => specifier[kindKey] !== "type")
    .map((specifier) => {
      if (specifier.type === "ImportNamespaceSpecifier") return "*";
      return specifier.type === "ImportDefaultSpecifier" ? "default" : (name(specifier[nameKey]) ?? "*");
    });
}

function literal(value: unknown): string | undefined {
  return isNode(value) && value.type === "Literal" && typeof value["value"] === "string"
    ? value["value"]
    : undefined;
}

/** An identifier's name, or the text of a string literal that stands for one. */
function name(value: unknown): string | undefined {
  return isNode(value) && value.type === "Identifier" ? (value["name"] as string) : literal(value);
}

function resolve(path: string, specifier: string): string | undefined {
  if (specifier === "holdfast") return "src/index.ts";
  if (!specifier.startsWith(".")) return undefined;
  return posix.join(posix.dirname(path), specifier).replace(/\.([cm]?)js$/, ".$1ts");
}

// ---- words

/** `pool` for src/pool/pickers/round-robin.ts, `holdfast.ts` for src/holdfast.ts, undefined outside src/. */
function unitOf(path: string): string | undefined {
  return /^src\/([^/]+)/.exec(path)?.[1];
}

function rankOf(unit: string | undefined): number {
  return TIERS.findIndex((units) => unit !== undefined && units.includes(unit));
}

function eachImport(
  files: readonly SourceFile[],
  check: (file: SourceFile, found: Import) => string | undefined,
) {
  return files.flatMap((file) =>
    file.imports.flatMap((found) => {
      const problem = check(file, found);
      return problem === undefined ? [] : [`${file.path} imports "${found.specifier}": ${problem}`];
    }),
  );
}

function isOrIsIn(specifier: string, packageName: string): boolean {
  return specifier === packageName || specifier.startsWith(`${packageName}/`);
}

/** `Date` and `now` of `Date.now` and `Date["now"]`; only the key for a member that is declared or destructured. */
function memberOf(node: Node): { object?: string | undefined; property?: string | undefined } {
  const key = node["property"] ?? node["key"];
  if (node["computed"] === true && literal(key) === undefined) return {};
  if (node.type === "MemberExpression") return { object: name(node["object"]), property: name(key) };
  if (node.type === "TSQualifiedName") return { object: name(node["left"]), property: name(node["right"]) };
  if (node.type === "TSLiteralType") return { property: literal(node["literal"]) };
  return { property: name(node["key"]) };
}

// ---- rules

const downwardOnly: Rule = (files) => [
  ...files.filter((file) => rankOf(unitOf(file.path)) < 0).map((file) => `${file.path} belongs to no tier`),
  ...eachImport(files, (file, { target }) => {
    if (target === undefined || target.endsWith(".json")) return undefined;
    const [from, to] = [unitOf(file.path), unitOf(target)];
    if (to === undefined) return `${target} is outside src/`;
    if (from === to || rankOf(to) < rankOf(from)) return undefined;
    return rankOf(to) === rankOf(from) ? `${to} is beside ${from}` : `${to} is above ${from}`;
  }),
];

const throughTheIndex: Rule = (files) =>
  eachImport(files, (file, { target }) => {
    const [from, to] = [unitOf(file.path), target === undefined ? undefined : unitOf(target)];
    if (target === undefined || to === undefined || to.endsWith(".ts") || to === "gen") return undefined;
    const isIndex = target === `src/${to}/index.ts`;
    if (from === to) return isIndex ? "inside a folder, import the file" : undefined;
    if (from === "config" && to !== "core") {
      return target.endsWith("-options.ts")
        ? undefined
        : "config reads only the *-options.ts of other folders";
    }
    return isIndex ? undefined : `from outside, import src/${to}/index.ts`;
  });

const noCycles: Rule = (files) => {
  const targets = new Map(
    files.map((file) => [file.path, file.imports.flatMap(({ target }) => target ?? [])]),
  );
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [[...trail.slice(trail.indexOf(path)), path].join(" imports ")];
    if (done.has(path)) return [];
    const cycles = (targets.get(path) ?? []).flatMap((target) => visit(target, [...trail, path]));
    done.add(path);
    return cycles;
  };
  return files.flatMap((file) => visit(file.path, []));
};

const grpcAtRunTime: Rule = (files) =>
  eachImport(files, (file, { specifier, isType, values }) => {
    const unit = unitOf(file.path) ?? "";
    if (!isOrIsIn(specifier, GRPC) || isType || GRPC_USERS.includes(unit)) return undefined;
    if (!GRPC_VALUE_USERS.includes(unit)) return `${unit} may use only its types (import type)`;
    const extra = values.filter((value) => !GRPC_VALUES.includes(value));
    return extra.length > 0
      ? `${unit} may use its types, status and Metadata, not ${extra.join(", ")}`
      : undefined;
  });

const unstableGrpc: Rule = (files) =>
  files
    .filter((file) => unitOf(file.path) !== "gen" && !UNSTABLE_API_FILES.includes(file.path))
    .flatMap((file) => [
      ...eachImport([file], (_, { specifier, values }) => {
        if (specifier.startsWith(`${GRPC}/`)) return "reaches into the build of grpc-js";
        const isUnstable = specifier === GRPC && values.includes("experimental");
        return isUnstable ? "experimental is unstable API of grpc-js" : undefined;
      }),
      ...file.nodes.flatMap((node) => {
        const word = memberOf(node).property ?? "";
        const isUnderscore = /^_[a-z]\w*$/i.test(word) && !NODE_STREAM_HOOKS.includes(word);
        const isUnstable = isUnderscore || word === "experimental";
        return isUnstable ? [`${file.path} uses ${word}: unstable API of grpc-js`] : [];
      }),
    ]);

const shortFiles: Rule = (files) =>
  files
    .filter((file) => unitOf(file.path) !== "gen")
    .map((file) => ({ path: file.path, lines: file.text.replace(/\n$/, "").split("\n").length }))
    .filter(({ lines }) => lines > MAX_LINES)
    .map(({ path, lines }) => `${path} has ${lines} lines, allowed are ${MAX_LINES}`);

const timeAndChance: Rule = (files) =>
  files
    .filter((file) => unitOf(file.path) !== "gen" && !TIME_AND_CHANCE_FILES.includes(file.path))
    .flatMap((file) => [
      ...eachImport([file], (_, { specifier, isType }) => {
        const isTimers = /^(node:)?(timers(\/promises)?|perf_hooks)$/.test(specifier);
        return isTimers && !isType ? "take a Clock instead" : undefined;
      }),
      ...file.nodes
        .flatMap(ownTimeOrChance)
        .map((use) => `${file.path} uses ${use}: take a Clock or a Random instead`),
    ]);

function ownTimeOrChance(node: Node): string[] {
  const { object, property } = memberOf(node);
  const member = `${object}.${property}`;
  const forbidden = ["Date.now", "Math.random", "performance.now", "AbortSignal.timeout", "process.hrtime"];
  if (forbidden.includes(member) || /^(globalThis|global)\.set(Timeout|Interval)$/.test(member))
    return [member];
  const callee = name(node["callee"]) ?? "";
  if (node.type === "CallExpression" && /^set(Timeout|Interval)$/.test(callee)) return [callee];
  const isNow =
    node.type === "NewExpression" && callee === "Date" && (node["arguments"] as unknown[]).length === 0;
  return isNow ? ["new Date()"] : [];
}

const namesByHand: Rule = (files) =>
  files
    .filter((file) => file.path === "src/index.ts")
    .flatMap((file) => file.nodes.filter((node) => node.type === "ExportAllDeclaration"))
    .map(
      (node) => `src/index.ts has export * from "${literal(node["source"])}": name what is public by hand`,
    );

const oneOwner: Rule = (files) =>
  eachImport(files, (file, { specifier }) => {
    const unit = unitOf(file.path);
    if (/^cockatiel(-\d+)?(\/|$)/.test(specifier) && unit !== "breaker")
      return "only src/breaker uses cockatiel";
    if (/^(node:)?dns(\/|$)/.test(specifier) && unit !== "discovery") return "only src/discovery asks DNS";
    return undefined;
  });

// ---- tests

const src = readFolder("src", /\.[cm]?ts$/);
const examples = readFolder("examples", /\.[cm]?[jt]s$/);

interface Case {
  readonly title: string;
  readonly rule: Rule;
  readonly files: readonly SourceFile[];
  /** Made-up files that break the rule, and what must then be said, one entry per violation. */
  readonly broken: Readonly<Record<string, string>>;
  readonly says: readonly string[];
}

const cases: readonly Case[] = [
  {
    title: "imports go down the tiers, never up or sideways",
    rule: downwardOnly,
    files: src,
    broken: {
      "src/retry/a.ts": 'import type { Breaker } from "../breaker/index.js";',
      "src/core/b.ts": 'export { type Pool } from "../pool/index.js";\nimport "../gen/health.js";',
      "src/pool/c.ts": 'type Stub = import("../../test/support/stub.js").Stub;',
      "src/utils/d.ts": "",
    },
    says: [
      "src/utils/d.ts belongs to no tier",
      'src/retry/a.ts imports "../breaker/index.js": breaker is beside retry',
      'src/core/b.ts imports "../pool/index.js": pool is above core',
      'src/core/b.ts imports "../gen/health.js": gen is beside core',
      'src/pool/c.ts imports "../../test/support/stub.js": test/support/stub.ts is outside src/',
    ],
  },
  {
    title: "a folder is imported through its index from outside, file by file from inside",
    rule: throughTheIndex,
    files: src,
    broken: {
      "src/pool/pickers/a.ts":
        'import type { Clock } from "../../core/clock.js";\nimport { Pool } from "../index.js";',
      "src/call/b.ts": 'import { Health } from "../gen/health.js";\nimport { dial } from "../pool/dial.js";',
      "src/config/c.ts":
        'import "../retry/retry-options.js";\nimport "../retry/index.js";\nimport "../core/index.js";',
    },
    says: [
      'src/pool/pickers/a.ts imports "../../core/clock.js": from outside, import src/core/index.ts',
      'src/pool/pickers/a.ts imports "../index.js": inside a folder, import the file',
      'src/call/b.ts imports "../pool/dial.js": from outside, import src/pool/index.ts',
      'src/config/c.ts imports "../retry/index.js": config reads only the *-options.ts of other folders',
    ],
  },
  {
    title: "files import each other in no cycle, type imports included",
    rule: noCycles,
    files: src,
    broken: {
      "src/pool/a.ts": 'import { b } from "./b.js";',
      "src/pool/b.ts": 'import "./c.js";',
      "src/pool/c.ts": 'import type { A } from "./a.js";',
    },
    says: ["src/pool/a.ts imports src/pool/b.ts imports src/pool/c.ts imports src/pool/a.ts"],
  },
  {
    title: "grpc-js is used at run time only where calls and connections live",
    rule: grpcAtRunTime,
    files: src,
    broken: {
      "src/core/a.ts": 'import { status, Metadata, type Channel, credentials } from "@grpc/grpc-js";',
      "src/retry/b.ts":
        'import * as grpc from "@grpc/grpc-js";\nimport type * as types from "@grpc/grpc-js";',
      "src/discovery/c.ts": 'import { status } from "@grpc/grpc-js";',
      "src/pool/d.ts": 'import { Client } from "@grpc/grpc-js";',
    },
    says: [
      'src/core/a.ts imports "@grpc/grpc-js": core may use its types, status and Metadata, not credentials',
      'src/retry/b.ts imports "@grpc/grpc-js": retry may use its types, status and Metadata, not *',
      'src/discovery/c.ts imports "@grpc/grpc-js": discovery may use only its types (import type)',
    ],
  },
  {
    title: "unstable grpc-js API stays in its adapter files",
    rule: unstableGrpc,
    files: src,
    broken: {
      "src/pool/dial-credentials.ts": "inner._isSecure();",
      "src/call/grpc-js-resolvers.ts": 'import { experimental } from "@grpc/grpc-js";',
      "src/call/a.ts":
        'import { experimental } from "@grpc/grpc-js";\nimport "@grpc/grpc-js/build/src/uri-parser";',
      "src/call/b.ts": "// a._isSecure()\na[_ref]; a['_equals'](b);\ngrpc.experimental.registerResolver();",
      "src/call/c.ts": 'type Connect = ChannelCredentials["_createSecureConnector"];',
    },
    says: [
      'src/call/a.ts imports "@grpc/grpc-js": experimental is unstable API of grpc-js',
      'src/call/a.ts imports "@grpc/grpc-js/build/src/uri-parser": reaches into the build of grpc-js',
      "src/call/b.ts uses _equals: unstable API of grpc-js",
      "src/call/b.ts uses experimental: unstable API of grpc-js",
      "src/call/c.ts uses _createSecureConnector: unstable API of grpc-js",
    ],
  },
  {
    title: `no file is longer than ${MAX_LINES} lines`,
    rule: shortFiles,
    files: [...src, ...examples],
    broken: {
      "src/gen/generated.ts": "\n".repeat(1000),
      "src/pool/fits.ts": `${";\n".repeat(MAX_LINES)}`,
      "examples/etcd/long.mjs": `${";\n".repeat(MAX_LINES + 1)}`,
    },
    says: ["examples/etcd/long.mjs has 251 lines, allowed are 250"],
  },
  {
    title: "time and chance come from a Clock and a Random",
    rule: timeAndChance,
    files: src,
    broken: {
      "src/pool/a.ts": "// Date.now()\nconst now = Date.now;\nconst x = Math.random() + performance.now();",
      "src/pool/b.ts":
        "setTimeout(f, 1);\nsession.setTimeout(1);\nglobalThis.setInterval(f, 1);\nnew Date(0);\nnew Date();",
      "src/pool/c.ts": 'import { setTimeout as sleep } from "node:timers/promises";',
      "src/pool/d.ts": "setImmediate(f);\nprocess.nextTick(f);\nqueueMicrotask(f);",
    },
    says: [
      ...["Date.now", "Math.random", "performance.now"].map(
        (use) => `src/pool/a.ts uses ${use}: take a Clock`,
      ),
      ...["setTimeout", "globalThis.setInterval", "new Date()"].map(
        (use) => `src/pool/b.ts uses ${use}: take a Clock`,
      ),
      'src/pool/c.ts imports "node:timers/promises": take a Clock',
    ],
  },
  {
    title: "public names are listed by hand",
    rule: namesByHand,
    files: src,
    broken: {
      "src/index.ts": 'export * from "./core/index.js";',
      "src/pool/index.ts": 'export * from "./pool.js";',
    },
    says: ['src/index.ts has export * from "./core/index.js": name what is public by hand'],
  },
  {
    title: "cockatiel and DNS have one owner each",
    rule: oneOwner,
    files: src,
    broken: {
      "src/breaker/a.ts": 'import { ConsecutiveBreaker } from "cockatiel";',
      "src/retry/b.ts": 'import { ExponentialBackoff } from "cockatiel";',
      "src/pool/c.ts": 'import { lookup } from "node:dns/promises";',
    },
    says: [
      'src/retry/b.ts imports "cockatiel": only src/breaker uses cockatiel',
      'src/pool/c.ts imports "node:dns/promises": only src/discovery asks DNS',
    ],
  },
];

it("finds the source it judges", () => {
  expect(src.length).toBeGreaterThanOrEqual(10);
});

it("allows unstable grpc-js API in two files at most", () => {
  expect(UNSTABLE_API_FILES.length).toBeLessThanOrEqual(2);
});

for (const { title, rule, files, broken, says } of cases) {
  describe(title, () => {
    it("holds in this project", () => {
      expect(rule(files)).toEqual([]);
    });

    it("is seen when broken", () => {
      const violations = rule(Object.entries(broken).map(([path, text]) => parse(path, text)));

      expect(violations).toEqual(says.map((start) => expect.stringContaining(start)));
    });
  });
}
