import type { DifferenceId } from "../door-differences.js";
import { connectionProbes } from "./connections.js";
import { deadlineProbes } from "./deadlines.js";
import { messageProbes } from "./messages.js";
import { poolProbes } from "./pool.js";
import type { Probe } from "./probe.js";
import { repeatProbes } from "./repeats.js";

/** For each row of the table of differences what finds out whether its cells are true. */
export const probes = {
  ...deadlineProbes,
  ...repeatProbes,
  ...connectionProbes,
  ...poolProbes,
  ...messageProbes,
} as const satisfies Record<DifferenceId, Probe>;
