import type { WriteStream } from "node:tty";
import { formatEntry, type TimelineEntry } from "./timeline.js";

const REDRAW_MS = 250;
const LINE_MS = 1_000;
/** What a terminal that does not tell its size gets. */
const USUAL_SIZE: ScreenSize = { columns: 80, rows: 24 };

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
}

/** What is shown of a run. */
export interface LiveSource {
  /** The whole picture, from the top. What does not fit the terminal is cut off at the right and at the bottom. */
  screen(size: ScreenSize): readonly string[];
  /** The same as lines that stay, once a second. */
  lines(): readonly string[];
}

/** Shows a run: redrawn in place on a terminal, as plain lines anywhere else. */
export interface LiveView {
  entry(entry: TimelineEntry): void;
  /** Shows nothing more. Safe to call twice. */
  end(): void;
}

/** The parts of an output stream that a live view needs. */
export type ViewStream = Pick<WriteStream, "write"> & {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
};

export function showLive(source: LiveSource, out: ViewStream): LiveView {
  return out.isTTY ? new RedrawnView(source, out) : new PlainView(source, out);
}

class PlainView implements LiveView {
  readonly #out: ViewStream;
  readonly #timer: NodeJS.Timeout;

  constructor(source: LiveSource, out: ViewStream) {
    this.#out = out;
    this.#timer = setInterval(() => {
      for (const line of source.lines()) out.write(`${line}\n`);
    }, LINE_MS);
  }

  entry(entry: TimelineEntry): void {
    this.#out.write(`${formatEntry(entry)}\n`);
  }

  end(): void {
    clearInterval(this.#timer);
  }
}

class RedrawnView implements LiveView {
  readonly #source: LiveSource;
  readonly #out: ViewStream;
  readonly #timer: NodeJS.Timeout;
  #height = 0;
  #isOver = false;

  constructor(source: LiveSource, out: ViewStream) {
    this.#source = source;
    this.#out = out;
    this.#timer = setInterval(() => this.#draw(), REDRAW_MS);
    this.#draw();
  }

  entry(): void {
    this.#draw();
  }

  end(): void {
    if (!this.#isOver) this.#draw();
    this.#isOver = true;
    clearInterval(this.#timer);
  }

  #draw(): void {
    if (this.#isOver) return;
    const size = {
      columns: this.#out.columns || USUAL_SIZE.columns,
      rows: this.#out.rows || USUAL_SIZE.rows,
    };
    // A line longer than the terminal would take two rows, and a picture taller than it would scroll: either way the
    // way back up would be counted wrongly. The cursor stands below the last line, hence one row less.
    const lines = this.#source.screen(size).slice(0, size.rows - 1);
    const up = this.#height === 0 ? "" : `\x1b[${Math.min(this.#height, size.rows - 1)}A`;
    const drawn = lines.map((line) => `${cutLine(line, size.columns - 1)}\x1b[K\n`).join("");
    this.#out.write(`${up}\r${drawn}\x1b[J`);
    this.#height = lines.length;
  }
}

/** At most `columns` characters; colours count nothing and end with the line. */
export function cutLine(line: string, columns: number): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that is how colours begin.
  const parts = line.match(/\x1b\[[\d;]*m|./gsu) ?? [];
  let used = 0;
  let isColoured = false;
  let cut = "";
  for (const part of parts) {
    if (part.startsWith("\x1b")) isColoured = part !== "\x1b[0m";
    else if (++used > columns) break;
    cut += part;
  }
  return isColoured ? `${cut}\x1b[0m` : cut;
}
