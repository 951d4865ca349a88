import { extname } from "node:path";
import { Composer, type CST, LineCounter, Parser } from "yaml";
import { saidBy } from "../../core/index.js";
import { type EndpointList, endpointProblems } from "../check-endpoints.js";

/** Aliases repeat values; without a limit a short text can become a huge one. */
const MAX_ALIASES = 100;
/** YAML takes about a second for as much, during which no call goes on. */
const MAX_YAML_BYTES = 1024 * 1024;
/** Keys of a map; metadata may have some. */
const MAX_KEYS = 1_000;
/** Levels of a text; a list of endpoints has four. */
const MAX_DEPTH = 32;

type Parsed = { readonly value: unknown } | { readonly problem: string };

/**
 * What a file says: a list of addresses or endpoint objects, or an object with it as `endpoints`. JSON when its name ends
 * in `.json`, YAML (which includes JSON) otherwise. Never throws.
 */
export function endpointsIn(path: string, bytes: Uint8Array): EndpointList {
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    return refuse("it is no UTF-8 text");
  }
  // An empty list is an answer; an empty file is one that is being written, or was lost.
  if (text.trim() === "") return refuse("it is empty; allowed: a list of addresses, [] for none");
  const parsed = parse(text, extname(path).toLowerCase() === ".json");
  if ("problem" in parsed) return refuse(parsed.problem);
  return listIn(parsed.value);
}

function listIn(value: unknown): EndpointList {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return endpointProblems(value);
  const { endpoints, ...rest } = value as Record<string, unknown>;
  const strangers = Object.keys(rest);
  if (endpoints === undefined)
    return refuse("it has no key endpoints; allowed: a list, or endpoints with one");
  const list = endpointProblems(endpoints);
  const unknown = strangers.map((key) => `${JSON.stringify(key)} is not a known key; allowed: endpoints`);
  return { endpoints: list.endpoints, problems: [...unknown, ...list.problems] };
}

/** JSON first, which is many times faster, and which long lists are better written in. */
function parse(text: string, isJson: boolean): Parsed {
  try {
    return { value: JSON.parse(text) as unknown };
  } catch (error) {
    return isJson ? { problem: `it is no JSON: ${saidBy(error)}` } : parseYaml(text);
  }
}

function parseYaml(text: string): Parsed {
  const bytes = Buffer.byteLength(text);
  if (bytes > MAX_YAML_BYTES) {
    return { problem: `it has ${bytes} bytes of YAML; allowed: ${MAX_YAML_BYTES} or less, more as JSON` };
  }
  try {
    const lines = new LineCounter();
    const tokens = [...new Parser(lines.addNewLine).parse(text)];
    const shape = shapeProblem(tokens);
    if (shape !== null) return { problem: shape };
    const composer = new Composer({ lineCounter: lines, prettyErrors: false, logLevel: "error" });
    const [document, second] = [...composer.compose(tokens, true, text.length)];
    const [fault] = [...(document?.errors ?? []), ...(document?.warnings ?? [])];
    if (fault !== undefined) {
      const { line, col } = lines.linePos(fault.pos[0]);
      return { problem: `line ${line}, column ${col}: ${fault.message}` };
    }
    if (second !== undefined) return { problem: "it has more than one document; allowed: one" };
    return { value: document?.toJS({ maxAliasCount: MAX_ALIASES }) as unknown };
  } catch (error) {
    // What the parser refuses as it builds the value, such as aliases without end.
    return { problem: `it is no YAML: ${saidBy(error)}` };
  }
}

/**
 * Reading the tokens takes neither stack nor much time. What follows takes stack for each level, and would end the process
 * on a file that is nothing but brackets; and it compares each key of a map with all before it.
 */
function shapeProblem(tokens: readonly CST.Token[]): string | null {
  let level: readonly CST.Token[] = tokens;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth === MAX_DEPTH) return `it is nested more than ${MAX_DEPTH} levels deep`;
    const widest = Math.max(0, ...level.filter(isMap).map(({ items }) => items.length));
    if (widest > MAX_KEYS) return `it has a map with ${widest} keys; allowed: ${MAX_KEYS} or less`;
    level = level.flatMap(insideOf);
  }
  return null;
}

function isMap(token: CST.Token): token is CST.BlockMap | CST.FlowCollection {
  return token.type === "block-map" || (token.type === "flow-collection" && token.start.source === "{");
}

function insideOf(token: CST.Token): CST.Token[] {
  const items = "items" in token ? token.items : [];
  const inside = items.flatMap((item) => [item.key, item.value]);
  if (token.type === "document") inside.push(token.value);
  return inside.filter((entry) => entry !== undefined && entry !== null);
}

function refuse(problem: string): EndpointList {
  return { endpoints: [], problems: [problem] };
}
