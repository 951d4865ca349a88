import type { ServerStatus } from "holdfast";
import { alignColumns } from "../shared/align-columns.js";

const HEADER = ["id", "address", "state", "term", "applied", "commit", "bytes"];

/** One row per server, in the order given; an Offline one has said nothing, so it has no numbers. */
export function formatStatus(servers: readonly ServerStatus[]): string {
  return alignColumns([HEADER, ...servers.map(row)]);
}

function row({ id, address, state, ...numbers }: ServerStatus): string[] {
  if (state === "Offline") return ["-", address, state, "-", "-", "-", "-"];
  const { term, lastApplied, commitIndex, storageBytes } = numbers;
  return [String(id), address, state, ...[term, lastApplied, commitIndex, storageBytes].map(String)];
}
