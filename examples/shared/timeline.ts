export interface TimelineEntry {
  readonly atMs: number;
  readonly text: string;
}

/** What was done to the servers and what came of it, and when, counted from the start of the load. */
export class Timeline {
  readonly entries: TimelineEntry[] = [];
  readonly #startedAt = performance.now();
  readonly #onEntry: (entry: TimelineEntry) => void;

  constructor(onEntry: (entry: TimelineEntry) => void = () => {}) {
    this.#onEntry = onEntry;
  }

  get nowMs(): number {
    return performance.now() - this.#startedAt;
  }

  note(text: string): void {
    const entry = { atMs: Math.round(this.nowMs), text };
    this.entries.push(entry);
    this.#onEntry(entry);
  }

  sinceText(atMs: number): string {
    return `${((this.nowMs - atMs) / 1_000).toFixed(1)} s`;
  }
}

/** One line of it, as the live views print it. */
export function formatEntry({ atMs, text }: TimelineEntry): string {
  return `${atText(atMs)}  * ${text}`;
}

/** Seconds with one decimal, right-aligned. */
export function atText(ms: number): string {
  return `${(ms / 1_000).toFixed(1).padStart(6)} s`;
}
