import { saidBy } from "../core/index.js";

/** A whole configuration has some hundreds of values, a few levels deep. */
const MAX_VALUES = 100_000;
const MAX_DEPTH = 32;

/** A deep copy of plain data, and what in the original was none. */
export interface PlainData {
  readonly value: unknown;
  readonly problems: readonly string[];
}

/**
 * Copies data that may come from anywhere, so that nobody changes it later. Leaves out and names what is no data:
 * instances of classes, circles, and the key `__proto__`, which objects swallow. Never throws.
 */
export function plainData(input: unknown): PlainData {
  const copy = new Copy();
  try {
    return { value: copy.of(input, []), problems: copy.problems };
  } catch (error) {
    return { value: {}, problems: [...copy.problems, `the configuration cannot be read: ${saidBy(error)}`] };
  }
}

class Copy {
  readonly problems: string[] = [];
  readonly #above = new Set<object>();
  #values = 0;

  of(value: unknown, path: readonly string[]): unknown {
    this.#values += 1;
    if (this.#values > MAX_VALUES) throw new Error(`it has more than ${MAX_VALUES} values`);
    if (typeof value !== "object" || value === null) return value;
    const refusal = this.#refusal(value, path);
    if (refusal !== null) {
      this.problems.push(`${path.join(".") || "the configuration"} ${refusal}`);
      // Something legal in most places, since one sentence about it is enough.
      return {};
    }
    this.#above.add(value);
    const copied = Array.isArray(value)
      ? value.map((entry, index) => this.of(entry, [...path, String(index)]))
      : this.#ofObject(value, path);
    this.#above.delete(value);
    return Object.freeze(copied);
  }

  #ofObject(value: object, path: readonly string[]): object {
    const copied: Record<string, unknown> = {};
    for (const [key, entry] of Object.entries(value)) {
      if (key === "__proto__") this.problems.push(`${[...path, key].join(".")} is no key that can be used`);
      else copied[key] = this.of(entry, [...path, key]);
    }
    return copied;
  }

  #refusal(value: object, path: readonly string[]): string | null {
    if (this.#above.has(value)) return "contains itself";
    if (path.length > MAX_DEPTH) return `is nested more than ${MAX_DEPTH} levels deep`;
    if (Array.isArray(value) || isPlain(value)) return null;
    const className: unknown = value.constructor?.name;
    return `is an object of class ${typeof className === "string" ? className : "unknown"}; allowed: plain data`;
  }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  // Also the Object of another realm, as a test runner or a worker has one.
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
