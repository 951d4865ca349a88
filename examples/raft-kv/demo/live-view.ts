import type { EndpointStats } from "holdfast";
import type { LiveSource, ScreenSize } from "../../shared/live-view.js";
import { atText, formatEntry } from "../../shared/timeline.js";
import type { DemoNode } from "./cluster.js";
import { type Paint, paintWith } from "./paint.js";
import type { Progress } from "./run.js";

/** Width of the words on the left. */
const LABEL = 10;
/** What the live rate and latency are taken over. */
const RECENT_MS = 2_000;
const LEVELS = "▁▂▃▄▅▆▇█";
const MARKS = { kill: "K", freeze: "F", partition: "P" } as const;
const LEGEND = Object.entries(MARKS)
  .map(([kind, mark]) => `${mark} ${kind}`)
  .join(" ");
/** Room for the longest words to the right of a bar. */
const WORDS = 20;

/** What is shown of a running demo. */
export function demoView(progress: Progress, hasColours: boolean): LiveSource {
  const paint = paintWith(hasColours);
  return {
    screen: (size) => {
      const head = [
        `Raft KV: ${progress.title}  ${paint.dim(LEGEND)}`,
        label("progress", progressLine(progress, size, paint)),
        label("rate", rateLine(progress, size, paint)),
        label("faults", faultLine(progress, size, paint)),
        label("leader", leaderText(progress)),
        ...progress.cluster.nodes.map((node) => label(node.name, nodeText(progress, node, paint, true))),
        label("recent", recentText(progress)),
        label("in all", totalsText(progress)),
        "",
      ];
      // The newest entries, as many as fit below.
      const room = Math.max(0, size.rows - 1 - head.length);
      return [...head, ...progress.timeline.entries.slice(-room || Infinity).map(formatEntry)];
    },
    lines: () => [
      `${atText(progress.nowMs())}  ${leaderText(progress)} | ${recentText(progress)} | ${totalsText(progress)}`,
      `          ${progress.cluster.nodes.map((node) => `${node.name} ${nodeText(progress, node, paint, false)}`).join("; ")}`,
    ],
  };
}

function label(name: string, text: string): string {
  return `${name.padEnd(LABEL)}${text}`;
}

/** One column for each equal part of the run; a run that takes longer than asked for shrinks. */
function columnsOf({ nowMs, seconds }: Progress, size: ScreenSize): { width: number; msEach: number } {
  const width = Math.max(10, Math.min(100, size.columns - LABEL - WORDS));
  return { width, msEach: Math.max(seconds * 1_000, nowMs()) / width };
}

function progressLine(progress: Progress, size: ScreenSize, paint: Paint): string {
  const { width, msEach } = columnsOf(progress, size);
  const done = Math.min(width, Math.floor(progress.nowMs() / msEach));
  const bar = `${paint.green("━".repeat(done))}${paint.dim("─".repeat(width - done))}`;
  return `${bar} ${atText(progress.nowMs()).trim()} of ${progress.seconds} s`;
}

/** Acknowledged operations over time; a gap is a time without any. */
function rateLine(progress: Progress, size: ScreenSize, paint: Paint): string {
  const { width, msEach } = columnsOf(progress, size);
  const done = Math.min(width, Math.floor(progress.nowMs() / msEach));
  const counts = Array.from({ length: done }, (_, column) =>
    progress.tally.acknowledgedBetween(column * msEach, (column + 1) * msEach),
  );
  const highest = Math.max(1, ...counts);
  const bars = counts.map((count) =>
    count === 0
      ? paint.red("·")
      : paint.green(LEVELS[Math.min(LEVELS.length - 1, Math.floor((count / highest) * LEVELS.length))]!),
  );
  return `${bars.join("")}${" ".repeat(width - done)} top ${Math.round((highest * 1_000) / msEach)}/s`;
}

function faultLine(progress: Progress, size: ScreenSize, paint: Paint): string {
  const { width, msEach } = columnsOf(progress, size);
  const { faults, current } = progress.faultLog;
  const line = new Array<string>(width).fill(" ");
  const draw = (kind: keyof typeof MARKS, fromMs: number, toMs: number): void => {
    const from = Math.min(width - 1, Math.floor(fromMs / msEach));
    const to = Math.min(width - 1, Math.floor(toMs / msEach));
    for (let column = from; column <= to; column += 1)
      line[column] = paint.yellow(column === from ? MARKS[kind] : "-");
  };
  for (const { kind, atMs, endedAtMs } of faults) draw(kind, atMs, endedAtMs);
  if (current !== undefined) draw(current.kind, current.atMs, progress.nowMs());
  return line.join("");
}

function leaderText({ cluster }: Progress): string {
  const { leader } = cluster.clerk.stats();
  return leader === null ? "not known" : `${cluster.nameOf(leader.address)}, term ${leader.term}`;
}

/** @param isTable whether states stand below each other */
function nodeText({ cluster }: Progress, node: DemoNode, paint: Paint, isTable: boolean): string {
  const { leader, servers } = cluster.clerk.stats();
  const what = node.isCutOff ? "cut off" : node.state;
  const role = leader?.address === node.address ? "leader" : "";
  const state = isTable ? `${what.padEnd(9)}${role.padEnd(8)}` : `${what} ${role}`.trimEnd();
  const endpoint = servers.find(({ address }) => address === node.address);
  const colour = what === "running" ? paint.green : paint.red;
  return `${colour(state)} ${endpoint === undefined ? "no connection" : endpointText(endpoint, paint)}`;
}

function endpointText({ state, isSuspect, breaker }: EndpointStats, paint: Paint): string {
  const connection = state === "READY" ? paint.green(state) : paint.red(state);
  const suspect = isSuspect ? paint.yellow(" suspect") : "";
  return `${connection}${suspect}, breaker ${breaker === "closed" ? breaker : paint.red(breaker)}`;
}

function recentText({ tally, nowMs }: Progress): string {
  const now = nowMs();
  const since = Math.max(0, now - RECENT_MS);
  const perSecond = Math.round((tally.acknowledgedBetween(since, now) * 1_000) / Math.max(1, now - since));
  const { p50Ms, p99Ms } = tally.latency(since);
  return `${perSecond}/s, p50 ${p50Ms} ms, p99 ${p99Ms} ms`;
}

function totalsText({ tally, cluster }: Progress): string {
  const { retries } = cluster.clerk.stats();
  return `${tally.acknowledged} acknowledged, ${tally.failedTotal} failed, ${retries} retries`;
}
