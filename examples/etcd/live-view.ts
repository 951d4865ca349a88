import type { LiveSource } from "../shared/live-view.js";
import { atText, formatEntry } from "../shared/timeline.js";
import type { Progress } from "./run.js";

/** What is shown of a running comparison. */
export function comparisonView(progress: Progress): LiveSource {
  const { timeline, seconds, cluster } = progress;
  return {
    screen: () => [
      `${atText(timeline.nowMs)} of ${seconds} s`,
      `servers   ${cluster.nodes.map((node) => `${node.name} ${node.state}`).join(", ")}`,
      ...lanes(progress).flatMap(({ counts, endpoints }) => [counts, `          ${endpoints}`]),
      ...timeline.entries.map(formatEntry),
    ],
    lines: () =>
      lanes(progress).map(({ counts, endpoints }) => `${atText(timeline.nowMs)}  ${counts} | ${endpoints}`),
  };
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
