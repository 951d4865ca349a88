import type { WriteStream } from "node:tty";
import type { Progress } from "./run.js";
import type { TimelineEntry } from "./timeline.js";

const REDRAW_MS = 250;
const LINE_MS = 1_000;

/** Shows a running comparison: redrawn in place on a terminal, as plain lines anywhere else. */
export interface LiveView {
  entry(entry: TimelineEntry): void;
  /** Shows nothing more. Safe to call twice. */
  end(): void;
}

export function showLive(progress: Progress, out: WriteStream | NodeJS.WriteStream): LiveView {
  return out.isTTY ? new RedrawnView(progress, out) : new PlainView(progress, out);
}

class PlainView implements LiveView {
  readonly #out: NodeJS.WritableStream;
  readonly #timer: NodeJS.Timeout;

  constructor(progress: Progress, out: NodeJS.WritableStream) {
    this.#out = out;
    this.#timer = setInterval(() => this.#print(progress), LINE_MS);
  }

  entry(entry: TimelineEntry): void {
    this.#out.write(`${formatEntry(entry)}\n`);
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #print(progress: Progress): void {
    const at = atText(progress.timeline.nowMs);
    for (const { counts, endpoints } of lanes(progress)) this.#out.write(`${at}  ${counts} | ${endpoints}\n`);
  }
}

class RedrawnView implements LiveView {
  readonly #out: WriteStream | NodeJS.WriteStream;
  readonly #progress: Progress;
  readonly #timer: NodeJS.Timeout;
  #height = 0;

  constructor(progress: Progress, out: WriteStream | NodeJS.WriteStream) {
    this.#progress = progress;
    this.#out = out;
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    this.#draw();
  }

  entry(): void {
    this.#draw();
  }

  end(): void {
    clearInterval(this.#timer);
  }

  #draw(): void {
    const { timeline, seconds, cluster } = this.#progress;
    const nodes = cluster.nodes.map((node) => `${node.name} ${node.state}`);
    const lines = [
      `${atText(timeline.nowMs)} of ${seconds} s`,
      `servers   ${nodes.join(", ")}`,
      ...lanes(this.#progress).flatMap(({ counts, endpoints }) => [counts, `          ${endpoints}`]),
      ...timeline.entries.map(formatEntry),
    ];
    // A line longer than the terminal would take two rows, and the way back up would be counted wrongly.
    const width = (this.#out.columns || 80) - 1;
    const up = this.#height === 0 ? "" : `\x1b[${this.#height}A`;
    this.#out.write(`${up}\x1b[J${lines.map((line) => line.slice(0, width)).join("\n")}\n`);
    this.#height = lines.length;
  }
}

function lanes(progress: Progress): { counts: string; endpoints: string }[] {
  return progress.lanes.map(({ side, load }) => {
    const range = load.tally("Range");
    const put = load.tally("Put");
    const gap = Math.round(range.longestGapMs(performance.now()));
    const counts = `Range ${range.ok} ok ${range.failed} failed, Put ${put.ok} ok ${put.failed} failed`;
    return {
      counts: `${side.name.padEnd(8)}  ${counts}, longest gap ${gap} ms`,
      endpoints: side.describe(progress.cluster.nodes),
    };
  });
}

function formatEntry(entry: TimelineEntry): string {
  return `${atText(entry.atMs)}  * ${entry.text}`;
}

function atText(ms: number): string {
  return `${(ms / 1_000).toFixed(1).padStart(6)} s`;
}
