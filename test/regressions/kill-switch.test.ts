import { Metadata, status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { expect, it } from "vitest";
import { readyBench } from "../support/channel-bench.js";

it("a channel that is switched off takes metadata of any size, as grpc-js does", async () => {
  const bench = await readyBench({ enabled: false });
  const metadata = new Metadata();
  metadata.set("token", "x".repeat(9_000));

  await bench.unary({ metadata });

  expect(bench.network.calls).toHaveLength(1);
});

it.each([{ retry: { maxAttempts: 3 } }, { hedging: { maxAttempts: 3, delayMs: 0 } }])(
  "a channel that is switched off makes one attempt, whatever a call asks for (%o)",
  async (settings) => {
    const bench = await readyBench({ enabled: false });
    const deadline = callOptions({ idempotent: true, ...settings }).deadline as Date;

    const call = await bench.unary({ deadline, request: "" });
    bench.network.current.fail(status.UNAVAILABLE);
    await bench.advance(2_000);

    expect(call.isOver).toBe(true);
    expect(bench.network.calls).toHaveLength(1);
  },
);
