import type { ChannelBench } from "../support/channel-bench.js";

/** Whether a promise has settled, and how. */
export function observed(promise: Promise<void>): { isDone: boolean } {
  const seen = { isDone: false };
  void promise.then(() => {
    seen.isDone = true;
  });
  return seen;
}

export function openSockets(bench: ChannelBench): number {
  return bench.network.dials.filter((dial) => !dial.socket.destroyed).length;
}
