/** Where a text stops to be JSON, and what belongs there. */
export interface JsonMistake {
  readonly offset: number;
  readonly message: string;
}

const SPACE = /[ \t\r\n]*/y;
const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const WORD = /true|false|null/y;
const ESCAPE = /\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})/y;

/** What may come next: "first" stands right after an opening bracket, where it may close as well. */
type Next = "value" | "first value" | "key" | "first key" | "end of value";

/**
 * The first mistake of a text that is to be JSON, or null. `JSON.parse` does not always say where it is, and quotes the
 * text around it, in which a secret may stand.
 */
export function jsonMistake(text: string): JsonMistake | null {
  const mistake = new Scanner(text).scan();
  if (mistake === null || mistake.offset < text.length) return mistake;
  return { ...mistake, message: `the text ends here; ${mistake.message}` };
}

class Scanner {
  readonly #open: ("{" | "[")[] = [];
  #next: Next = "value";
  #at = 0;

  constructor(private readonly text: string) {}

  scan(): JsonMistake | null {
    for (;;) {
      this.#take(SPACE);
      const isDone = this.#next === "end of value" && this.#open.length === 0;
      if (isDone && this.#at === this.text.length) return null;
      const problem = isDone ? "nothing may follow" : this.#step();
      if (problem !== null) return { offset: this.#at, message: `${problem}${this.#hint()}` };
    }
  }

  #step(): string | null {
    switch (this.#next) {
      case "end of value":
        return this.#endOfValue();
      case "key":
      case "first key":
        return this.#next === "first key" && this.#close("}") ? null : this.#key();
      default:
        return this.#next === "first value" && this.#close("]") ? null : this.#value();
    }
  }

  #endOfValue(): string | null {
    const inObject = this.#open.at(-1) === "{";
    const closing = inObject ? "}" : "]";
    if (this.#close(closing)) return null;
    if (!this.#skip(",")) return `expected a comma or ${closing}`;
    this.#next = inObject ? "key" : "value";
    return null;
  }

  #key(): string | null {
    if (this.text[this.#at] !== '"') return "expected a key in double quotes";
    const problem = this.#string();
    if (problem !== null) return problem;
    this.#take(SPACE);
    this.#next = "value";
    return this.#skip(":") ? null : "expected a colon after the key";
  }

  #value(): string | null {
    for (const [opening, first] of [
      ["{", "first key"],
      ["[", "first value"],
    ] as const) {
      if (!this.#skip(opening)) continue;
      this.#open.push(opening);
      this.#next = first;
      return null;
    }
    const isText = this.text[this.#at] === '"';
    if (!isText && !this.#take(WORD) && !this.#take(NUMBER)) return "expected a value";
    this.#next = "end of value";
    return isText ? this.#string() : null;
  }

  #string(): string | null {
    for (this.#at += 1; this.#at < this.text.length; ) {
      const code = this.text.charCodeAt(this.#at);
      if (code < 0x20) return "a line break or another control character in a text; write \\n and the like";
      if (code === 0x5c && !this.#take(ESCAPE)) return "an escape that JSON does not have";
      if (code === 0x5c) continue;
      this.#at += 1;
      if (code === 0x22) return null;
    }
    return "a text has no closing double quote";
  }

  #close(closing: "}" | "]"): boolean {
    if (!this.#skip(closing)) return false;
    this.#open.pop();
    this.#next = "end of value";
    return true;
  }

  #skip(character: string): boolean {
    if (this.text[this.#at] !== character) return false;
    this.#at += 1;
    return true;
  }

  /** @returns whether the pattern took anything */
  #take(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    const taken = pattern.exec(this.text)?.[0].length ?? 0;
    this.#at += taken;
    return taken > 0;
  }

  /** What people bring along from other languages. */
  #hint(): string {
    const here = this.text[this.#at];
    if (here === "/" || here === "#") return "; JSON has no comments";
    if (here === "'") return "; JSON takes no single quotes";
    if (here === "}" || here === "]")
      return this.#next === "key" || this.#next === "value" ? "; is a comma too many before it?" : "";
    return "";
  }
}
