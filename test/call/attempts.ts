import { status } from "@grpc/grpc-js";
import { type ChannelBench, IDEMPOTENT } from "../support/channel-bench.js";

export const FIVE_ATTEMPTS = { ...IDEMPOTENT, retry: { maxAttempts: 5 } };

/** The running attempt ends UNAVAILABLE, in one frame. */
export async function failCurrent(bench: ChannelBench, trailers: Record<string, string> = {}): Promise<void> {
  bench.network.current.fail(status.UNAVAILABLE, "scripted", trailers);
  await bench.settle();
}

/** How long the clock has to run until the next attempt is there; at most `maxMs`. */
export async function msToNextAttempt(bench: ChannelBench, maxMs = 5_000): Promise<number> {
  const before = bench.network.calls.length;
  const start = bench.clock.now();
  while (bench.network.calls.length === before && bench.clock.now() - start < maxMs) await bench.advance(1);
  return bench.clock.now() - start;
}
