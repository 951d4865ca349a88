import {
  type Document,
  isAlias,
  isScalar,
  LineCounter,
  type Node,
  Parser,
  parseDocument,
  visit,
  type YAMLError,
} from "yaml";
import { saidBy } from "../core/index.js";
import { jsonMistake } from "./json-mistake.js";

/** What a text says, or where and why it says nothing. */
export type ParsedText =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly string[] };

/** Aliases that a text may have, and how often they may repeat a value in all; more is a bomb. */
const MAX_ALIASES = 100;
/** After a first mistake a parser stumbles on; further ones are seldom the writer's. */
const MAX_SYNTAX_PROBLEMS = 20;
/** Levels of a text; a configuration has eight. */
const MAX_DEPTH = 64;

/** Reads YAML 1.2, which JSON is a part of, or JSON alone. Never throws. */
export function parseText(text: string, language: "yaml" | "json"): ParsedText {
  try {
    if (isTooDeep(text)) return refuse([`is nested more than ${MAX_DEPTH} levels deep`]);
    const json = language === "json" ? jsonProblem(text) : null;
    return json === null ? parseYaml(text, language) : refuse([json]);
  } catch (error) {
    // What the parser refuses as it builds the value: aliases without end, merges of what is no map.
    return refuse([saidBy(error)]);
  }
}

function parseYaml(text: string, language: "yaml" | "json"): ParsedText {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    lineCounter: lines,
    prettyErrors: false,
    // Compares each key with all before it; `duplicateKeys` does it in one pass.
    uniqueKeys: false,
    merge: language === "yaml",
    schema: language === "json" ? "json" : "core",
    logLevel: "error",
  });
  const faults = [...document.errors, ...document.warnings];
  const problems = [
    ...faults.slice(0, MAX_SYNTAX_PROBLEMS).map((fault) => `${at(lines, fault.pos[0])}: ${phrase(fault)}`),
    ...duplicateKeys(document, lines),
    ...aliasProblems(document, lines),
  ];
  if (problems.length > 0) return refuse(problems);
  if (isEmpty(document)) return refuse(["is empty; allowed: channels, clerks, raftPeers"]);
  return { ok: true, value: document.toJS({ maxAliasCount: MAX_ALIASES }) };
}

function phrase({ code, message }: YAMLError): string {
  return code === "MULTIPLE_DOCS" ? "a second document begins; allowed: one" : message;
}

function isEmpty({ contents }: Document): boolean {
  return contents === null || (isScalar(contents) && (contents.value === null || contents.value === ""));
}

function duplicateKeys(document: Document, lines: LineCounter): string[] {
  const problems: string[] = [];
  visit(document, {
    Map(_, map) {
      const first = new Map<string, Node>();
      for (const { key } of map.items) {
        if (!isScalar(key)) continue;
        // A merge, `<<`; several in one map add up.
        if (typeof key.value === "symbol") continue;
        const name = String(key.value);
        const before = first.get(name);
        if (before === undefined) first.set(name, key);
        else {
          const where = at(lines, before.range?.[0]);
          problems.push(
            `${at(lines, key.range?.[0])}: the key ${JSON.stringify(name)} is there already (${where})`,
          );
        }
      }
    },
  });
  return problems;
}

function aliasProblems(document: Document, lines: LineCounter): string[] {
  const anchors = new Set<string>();
  const problems: string[] = [];
  let count = 0;
  visit(document, {
    Node(_, node) {
      if (!isAlias(node)) {
        if (node.anchor !== undefined) anchors.add(node.anchor);
        return;
      }
      count += 1;
      if (!anchors.has(node.source)) {
        problems.push(`${at(lines, node.range?.[0])}: the alias *${node.source} has no anchor before it`);
      }
    },
  });
  if (count > MAX_ALIASES) return [`has ${count} aliases; allowed: ${MAX_ALIASES} or less`];
  return problems;
}

/** The parser for YAML would be more lenient. */
function jsonProblem(text: string): string | null {
  const mistake = text.trim() === "" ? null : jsonMistake(text);
  if (mistake === null) return null;
  const before = text.slice(0, mistake.offset).split("\n");
  return `line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: ${mistake.message}`;
}

/**
 * The parser keeps its place in a list, but everything after it calls itself for each level, until the stack ends; and
 * V8 ends the process when that happens inside a regular expression.
 */
function isTooDeep(text: string): boolean {
  let level: object[] = [...new Parser().parse(text)];
  for (let depth = 0; depth < MAX_DEPTH; depth += 1) level = level.flatMap(nestedIn);
  return level.length > 0;
}

/** What a token of the parser has inside, of whatever kind it is. */
interface Nested {
  readonly items?: readonly { readonly key?: unknown; readonly value?: unknown }[];
  readonly value?: unknown;
}

function nestedIn(token: object): object[] {
  const { items = [], value } = token as Nested;
  const inside = items.flatMap((item) => [item.key, item.value]);
  return [...inside, value].filter((entry): entry is object => typeof entry === "object" && entry !== null);
}

function at(lines: LineCounter, offset: number | undefined): string {
  const { line, col } = lines.linePos(offset ?? 0);
  return `line ${line}, column ${col}`;
}

function refuse(problems: readonly string[]): ParsedText {
  return { ok: false, problems };
}
