/** What an editor says of an option: the compiler's own answer, asked of the declarations that the package ships. */
import { spawnSync } from "node:child_process";
import { mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  API,
  type Checker,
  type Project,
  SignatureKind,
  SymbolFlags,
  type Type,
  TypeFlags,
} from "typescript/unstable/sync";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Of exports with other names, those that are options, too. */
const FURTHER_OPTIONS = [
  "CallHooks",
  "CallSettings",
  "LoadBalancing",
  "RaftPeersSettings",
  "ServiceConfigImport",
];
/** Deeper than options nest; types may be endless. */
const MAX_DEPTH = 8;

/** One commented key, and uncommented ones at every place where the walk must see them. */
const UNCOMMENTED = `import { z } from "zod";
export declare const schema: z.ZodObject<{
  /** Told. */
  told: z.ZodOptional<z.ZodObject<{ deep: z.ZodOptional<z.ZodString> }, z.core.$strict>>;
  /** Told. */
  either: z.ZodUnion<readonly [z.ZodLiteral<false>, z.ZodObject<{ inUnion: z.ZodString }, z.core.$strict>]>;
  /** Told. */
  named: z.ZodRecord<z.ZodString, z.ZodObject<{ inRecord: z.ZodString }, z.core.$strict>>;
  blank: z.ZodDefault<z.ZodNumber>;
}, z.core.$strict>;
export type BlankOptions = z.input<typeof schema>;
`;

let folder = "";
let api: API;
let project: Project;

beforeAll(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "holdfast-hover-")));
  const tsc = join(root, "node_modules/typescript/bin/tsc");
  const flags = [
    "-p",
    "tsconfig.build.json",
    "--noCheck",
    "--emitDeclarationOnly",
    "--outDir",
    join(folder, "dist"),
  ];
  const { status, stdout } = spawnSync(process.execPath, [tsc, ...flags], { cwd: root, encoding: "utf8" });
  if (status !== 0) throw new Error(stdout);
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
  writeFileSync(join(folder, "uncommented.d.ts"), UNCOMMENTED);
  const compilerOptions = { module: "nodenext", strict: true, exactOptionalPropertyTypes: true };
  const tsconfig = join(folder, "tsconfig.json");
  writeFileSync(
    tsconfig,
    JSON.stringify({ compilerOptions, files: ["dist/index.d.ts", "uncommented.d.ts"] }),
  );
  api = new API({ cwd: folder });
  const opened = api.updateSnapshot({ openProjects: [tsconfig] }).getProjects()[0];
  if (opened === undefined) throw new Error("the compiler opened no project");
  project = opened;
}, 60_000);

afterAll(() => {
  api?.close();
  rmSync(folder, { recursive: true, force: true });
});

it("says in the editor what every option means", () => {
  const texts = textsOf("dist/index.d.ts");

  expect([...texts.keys()]).toEqual(
    expect.arrayContaining([
      "CallSettings.retry.backoff.initialMs",
      "ChannelOptions.breaker.count.threshold",
      "ChannelOptions.loadBalancing.policy",
      "ChannelOptions.methods.*.hedging.delayMs",
      "ChannelOptions.outlierEjection.successRate.stdevFactor",
      "ClerkOptions.probe.timeoutMs",
      "HardenOptions.tls.caFile",
      "RaftPeerOptions.channel.keepalive.timeMs",
      "ReadyOptions.endpoints",
      "RetryInterceptorOptions.backoff.jitter",
    ]),
  );
  expect(blanks(texts)).toEqual([]);
});

it("would notice an option without a text, wherever it stands", () => {
  expect(blanks(textsOf("uncommented.d.ts"))).toEqual([
    "BlankOptions.blank",
    "BlankOptions.either.inUnion",
    "BlankOptions.named.*.inRecord",
    "BlankOptions.told.deep",
  ]);
});

function blanks(texts: ReadonlyMap<string, string>): string[] {
  return [...texts].flatMap(([path, text]) => (text === "" ? [path] : [])).sort();
}

/** The text of every key of the options that a file exports, by its path. */
function textsOf(file: string): ReadonlyMap<string, string> {
  const { checker, program } = project;
  const source = program.getSourceFile(join(folder, file));
  const module = source && checker.getSymbolAtLocation(source);
  if (module === undefined) throw new Error(`${file} is no module`);
  const texts = new Map<string, string>();
  for (const symbol of checker.getExportsOfModule(module)) {
    if (!/Options$/.test(symbol.name) && !FURTHER_OPTIONS.includes(symbol.name)) continue;
    const declared = symbol.flags & SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol;
    const type = checker.getDeclaredTypeOfSymbol(declared);
    collect(checker, type, [symbol.name], texts);
  }
  return texts;
}

function collect(checker: Checker, type: Type, path: readonly string[], texts: Map<string, string>): void {
  if (path.length > MAX_DEPTH) return;
  if (type.isUnionType()) {
    for (const member of type.getTypes()) collect(checker, member, path, texts);
    return;
  }
  // Below the top, what has a name is no group of options: credentials, functions, messages.
  const isGroup = path.length === 1 || (type.flags & TypeFlags.Object && type.getSymbol()?.name === "__type");
  if (!isGroup || checker.getSignaturesOfType(type, SignatureKind.Call).length > 0) return;
  for (const { valueType } of checker.getIndexInfosOfType(type)) {
    collect(checker, valueType, [...path, "*"], texts);
  }
  for (const key of checker.getPropertiesOfType(type)) {
    const [name, text] = [[...path, key.name].join("."), checker.getDocumentationCommentOfSymbol(key)];
    // A key that several members of a union have is blank if one of them is.
    if (texts.get(name) !== "") texts.set(name, text.trim());
    const value = checker.getTypeOfSymbol(key);
    if (value !== undefined) collect(checker, value, [...path, key.name], texts);
  }
}
