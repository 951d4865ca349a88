import { status } from "@grpc/grpc-js";
import type { ChannelOptions } from "../../src/call/index.js";
import { A, B, type BenchSetup, C, type ChannelBench, readyBench } from "../support/channel-bench.js";

/** Every method of the test service is hedged: three attempts, 50 ms apart. */
export const HEDGED: Partial<ChannelOptions> = {
  methods: { "test.Echo": { idempotent: true } },
  hedging: { maxAttempts: 3, delayMs: 50 },
  attemptTimeoutMs: null,
};

/** Three connected endpoints, and hedging as above unless `options` say otherwise. */
export function hedgedBench(
  options: Partial<ChannelOptions> = {},
  setup: BenchSetup = {},
): Promise<ChannelBench> {
  return readyBench({ ...HEDGED, ...options }, { addresses: [A, B, C], ...setup });
}

/** One attempt ends UNAVAILABLE, in one frame. */
export async function failAttempt(
  bench: ChannelBench,
  index: number,
  trailers: Record<string, string> = {},
  code: status = status.UNAVAILABLE,
): Promise<void> {
  bench.network.call(index).fail(code, "scripted", trailers);
  await bench.advance(0);
}

/** One attempt answers. */
export async function answer(bench: ChannelBench, index: number, text = `answer ${index}`): Promise<void> {
  bench.network.call(index).ok(text);
  await bench.settle();
}
