/** What grpc-js takes as a deadline: a `Date`, or milliseconds since the epoch; `Infinity` is none. */
export type GrpcDeadline = Date | number;

/** The absolute instant in epoch milliseconds; `Infinity` when there is none. An unreadable `Date` counts as none. */
export function deadlineToEpochMs(deadline: GrpcDeadline): number {
  const ms = typeof deadline === "number" ? deadline : deadline.getTime();
  return Number.isNaN(ms) ? Number.POSITIVE_INFINITY : ms;
}
