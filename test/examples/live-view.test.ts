import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { cutLine, type LiveSource, showLive } from "../../examples/shared/live-view.js";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function output(size: { isTTY: boolean; columns?: number; rows?: number }) {
  const written: string[] = [];
  const write = (text: string | Uint8Array) => written.push(String(text)) > 0;
  return { out: { ...size, write }, written };
}

function source(...lines: string[]): LiveSource {
  return { screen: () => lines, lines: () => ["plain"] };
}

it("prints a line a second and every entry where nobody can see a picture", async () => {
  const { out, written } = output({ isTTY: false });

  const view = showLive(source("picture"), out);
  await vi.advanceTimersByTimeAsync(2_000);
  view.entry({ atMs: 2_100, text: "node-1 killed" });
  view.end();
  await vi.advanceTimersByTimeAsync(5_000);

  expect(written).toEqual(["plain\n", "plain\n", "   2.1 s  * node-1 killed\n"]);
});

it("draws over the picture before, on a terminal", () => {
  const { out, written } = output({ isTTY: true, columns: 80, rows: 24 });

  const view = showLive(source("one", "two"), out);
  view.entry({ atMs: 0, text: "" });

  expect(written).toEqual(["\rone\x1b[K\ntwo\x1b[K\n\x1b[J", "\x1b[2A\rone\x1b[K\ntwo\x1b[K\n\x1b[J"]);
  view.end();
});

it("fits a terminal that is smaller than the picture", () => {
  const { out, written } = output({ isTTY: true, columns: 4, rows: 3 });

  const view = showLive(source("abcdef", "b", "c", "d"), out);
  view.end();

  expect(written).toEqual(["\rabc\x1b[K\nb\x1b[K\n\x1b[J", "\x1b[2A\rabc\x1b[K\nb\x1b[K\n\x1b[J"]);
});

it("draws no more after its end", async () => {
  const { out, written } = output({ isTTY: true });
  const view = showLive(source("one"), out);

  view.end();
  view.end();
  view.entry({ atMs: 0, text: "late" });
  await vi.advanceTimersByTimeAsync(5_000);

  expect(written).toHaveLength(2);
});

it.each([
  ["plain text", "abcdef", 3, "abc"],
  ["colours, which take no room", "\x1b[32mab\x1b[0mcd", 3, "\x1b[32mab\x1b[0mc"],
  ["a colour that would go on", "\x1b[32mabcd", 2, "\x1b[32mab\x1b[0m"],
  ["a line that fits", "ab", 2, "ab"],
])("cuts %s", (_name, line, columns, cut) => {
  expect(cutLine(line, columns)).toBe(cut);
});
