/**
 * The nodes' clocks, as flags of `node.ts`, in milliseconds. Shorter than eraft's (125, 1,000 to 2,000), so that a fault
 * shows in seconds, and long enough that a node which waits for the CPU of a busy machine is not taken for dead.
 */
export const CLUSTER_TIMES = {
  "--heartbeat-ms": 60,
  "--election-min-ms": 500,
  "--election-max-ms": 1_000,
} as const;
