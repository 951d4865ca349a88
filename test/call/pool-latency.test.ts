import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { readyBench } from "../support/channel-bench.js";
import { clientStream, serverStream } from "../support/test-call.js";

const HOUR_MS = 3_600_000;
const OPTIONS = { retry: false, breaker: false, timeoutMs: null } as const;

it.each([
  ["a restart", status.UNAVAILABLE],
  ["an answer", status.NOT_FOUND],
])(
  "a response stream that ends after an hour with %s does not make its endpoint a slow one",
  async (_, code) => {
    const bench = await readyBench(OPTIONS);
    const call = serverStream(bench.channel);
    await bench.settle();
    call.flow();
    bench.network.current.headers();
    bench.network.current.message("first");
    await bench.advance(HOUR_MS);

    bench.network.current.failAfterHeaders(code);
    await bench.settle();

    expect(bench.channel.endpoints()[0]?.latencyMs ?? 0).toBeLessThanOrEqual(1_000);
  },
);

it("a request stream that its caller takes an hour to write does not make its endpoint a slow one", async () => {
  const bench = await readyBench(OPTIONS);
  const call = clientStream(bench.channel);
  await bench.advance(HOUR_MS);
  call.write("last").end();
  await bench.settle();

  bench.network.current.ok();
  await bench.settle();

  expect(bench.channel.endpoints()[0]?.latencyMs ?? 0).toBeLessThanOrEqual(1_000);
});
