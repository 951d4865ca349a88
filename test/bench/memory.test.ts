import { expect, it } from "vitest";
import { MESSAGE_BYTES } from "../../bench/memory/held-stub.js";
import { measureHeld } from "../../bench/memory/measure-held.js";

const CALLS = 100;

it("holds each of 100 requests of 1 MiB once, and a second time only within the retry budget", async () => {
  const held = await measureHeld("holdfast", CALLS);

  const kept = held.retryBufferBytes ?? Number.NaN;
  expect(kept).toBeLessThanOrEqual(16 * MESSAGE_BYTES);
  expect(held.largeBuffers).toBe(CALLS + kept / MESSAGE_BYTES);
  expect(held.bufferBytes).toBeLessThan(1.3 * CALLS * MESSAGE_BYTES);
}, 60_000);

it("finds every buffer that plain grpc-js holds, so that the count above means something", async () => {
  const held = await measureHeld("bare", CALLS);

  expect(held.largeBuffers).toBeGreaterThanOrEqual(CALLS);
  expect(held.bufferBytes).toBeGreaterThanOrEqual(CALLS * MESSAGE_BYTES);
}, 60_000);
