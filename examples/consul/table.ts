import { alignColumns } from "../shared/align-columns.js";
import type { Report } from "./run.js";

const HEADER = ["server", "calls", "in the end"];

/** Who answered how many calls. */
export function formatTable({ servers, calls, failed, failures, p99Ms }: Report): string {
  const rows = servers.map(({ id, calls, fate }) => [id, String(calls), fate]);
  const failedBy = Object.entries(failures).map(([code, count]) => `${code} ${count}`);
  return [
    alignColumns([HEADER, ...rows], HEADER.indexOf("in the end")),
    "",
    `${calls} calls, ${failed} failed${failed === 0 ? "" : ` (${failedBy.join(", ")})`}, p99 ${p99Ms} ms`,
  ].join("\n");
}

/** True when no call failed, and calls were made. */
export function hasPassed({ calls, failed }: Report): boolean {
  return failed === 0 && calls > 0;
}
