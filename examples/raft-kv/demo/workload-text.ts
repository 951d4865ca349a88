import { closeSync, openSync, readSync } from "node:fs";
import { type Document, isAlias, isNode, LineCounter, Parser, parseDocument, visit } from "yaml";
import { UsageError } from "../../shared/flags.js";

/** A workload has 300 bytes; what is much longer is another file, or one without an end. */
const MAX_BYTES = 65_536;
/** Levels of the text as the parser counts them; a workload has four. */
const MAX_DEPTH = 8;
/** After the first few problems of a file the others are seldom its writer's. */
const MAX_PROBLEMS = 5;
const MAX_TEXT = 200;

/** Something wrong in a workload, at an offset of its text. */
export interface Problem {
  readonly offset: number;
  readonly message: string;
}

/** The text of a workload as plain values, and where they stand. JSON, where YAML's comments are welcome too. */
export class WorkloadText {
  readonly #path: string;
  readonly #lines = new LineCounter();
  readonly #document: Document;
  readonly value: unknown;

  /** @throws {UsageError} naming file, line and column when the text cannot be read. */
  constructor(text: string, path: string) {
    this.#path = path;
    if (text.length > MAX_BYTES)
      throw this.refused([{ offset: 0, message: `the file is longer than the ${MAX_BYTES} bytes allowed` }]);
    const tooDeep = this.#firstTooDeep(text);
    if (tooDeep !== undefined)
      throw this.refused([{ offset: tooDeep, message: `nested more than ${MAX_DEPTH} levels deep` }]);
    // The JSON schema of YAML 1.2 reads all JSON and, unlike JSON.parse, knows where everything stands.
    this.#document = parseDocument(text, { schema: "json", prettyErrors: false, logLevel: "error" });
    const faults = this.#document.errors.map(({ pos, message }) => ({ offset: pos[0], message }));
    const problems = [...faults, ...aliases(this.#document)];
    if (problems.length > 0) throw this.refused(problems);
    this.value = this.#document.toJS();
  }

  /** Where the value stands, or, when it is missing, what should have held it. */
  offsetOf(path: readonly PropertyKey[]): number {
    for (let depth = path.length; depth >= 0; depth -= 1) {
      const node = this.#document.getIn(path.slice(0, depth), true);
      if (isNode(node) && node.range) return node.range[0];
    }
    return 0;
  }

  refused(problems: readonly Problem[]): UsageError {
    const told = problems.slice(0, MAX_PROBLEMS).map(({ offset, message }) => {
      const { line, col } = this.#lines.linePos(offset);
      const place = `${this.#path}:${Math.max(1, line)}:${Math.max(1, col)}`;
      return `  ${place}: ${message.length > MAX_TEXT ? `${message.slice(0, MAX_TEXT)}...` : message}`;
    });
    const more = problems.length - told.length;
    if (more > 0) told.push(`  and ${more} more`);
    return new UsageError(`the workload file is refused:\n${told.join("\n")}`);
  }

  /** The offset of what first goes too deep, found level by level: a recursion would end with the stack. */
  #firstTooDeep(text: string): number | undefined {
    try {
      let level: object[] = [...new Parser(this.#lines.addNewLine).parse(text)];
      for (let depth = 0; depth < MAX_DEPTH; depth += 1) level = level.flatMap(nestedIn);
      const [first] = level as { offset?: number }[];
      return first && (first.offset ?? 0);
    } catch (error) {
      // The parser itself: it closes thousands of levels one inside the other.
      if (!(error instanceof RangeError)) throw error;
      return 0;
    }
  }
}

/**
 * The text of a file.
 * @throws {UsageError} when it cannot be read.
 */
export function readText(path: string): string {
  try {
    const file = openSync(path, "r");
    try {
      return readUpTo(file, MAX_BYTES + 1).toString("utf8");
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw new UsageError(`the workload file cannot be read: ${path}: ${(error as Error).message}`);
  }
}

/** Not the whole file: it may be a device that has no end. */
function readUpTo(file: number, bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  let length = 0;
  while (length < bytes) {
    const read = readSync(file, buffer, length, bytes - length, null);
    if (read === 0) break;
    length += read;
  }
  return buffer.subarray(0, length);
}

/** One alias that stands for many is how a short file becomes a value without end; a workload needs none. */
function aliases(document: Document): Problem[] {
  const found: Problem[] = [];
  visit(document, (_key, node) => {
    if (isAlias(node))
      found.push({ offset: node.range?.[0] ?? 0, message: `the alias *${node.source} is not allowed` });
  });
  return found;
}

/** What a token of the parser has inside, of whatever kind it is. */
function nestedIn(token: object): object[] {
  const { items = [], value } = token as {
    items?: readonly { readonly key?: unknown; readonly value?: unknown }[];
    value?: unknown;
  };
  const inside = items.flatMap((item) => [item.key, item.value]);
  return [...inside, value].filter((entry): entry is object => typeof entry === "object" && entry !== null);
}
