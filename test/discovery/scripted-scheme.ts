import type { Subscription } from "../../src/core/index.js";
import { parseTargets, type ResolvedTarget, registerResolver } from "../../src/discovery/index.js";
import { ScriptedSource } from "./scripted-source.js";

/** A scheme of its own, whose targets the test answers for. */
export class ScriptedScheme {
  /** The sources made so far, in order. */
  readonly made: ScriptedSource[] = [];
  /** Called with each new one, before it is started. */
  onMade: ((source: ScriptedSource) => void) | null = null;
  readonly #registration: Subscription;

  constructor(readonly name: string) {
    this.#registration = registerResolver(name, {
      create: ({ canonical }) => {
        const source = new ScriptedSource(canonical);
        this.made.push(source);
        this.onMade?.(source);
        return source;
      },
    });
  }

  /** The target with this path. */
  target(path: string): string {
    return `${this.name}:///${path}`;
  }

  /** Targets, parsed: those with these paths, or whole ones of other schemes. */
  targets(...paths: readonly string[]): readonly ResolvedTarget[] {
    const parsed = parseTargets(paths.map((path) => (path.includes(":") ? path : this.target(path))));
    if (!parsed.ok) throw new Error(parsed.problems.join("; "));
    return parsed.targets as readonly ResolvedTarget[];
  }

  /** The newest source of a path. */
  source(path: string): ScriptedSource {
    const found = this.made.findLast(({ target }) => target === this.target(path));
    if (found === undefined) throw new Error(`no source was made for ${this.target(path)}`);
    return found;
  }

  dispose(): void {
    this.#registration.dispose();
  }
}
