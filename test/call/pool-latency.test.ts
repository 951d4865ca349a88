import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { A, B, readyBench } from "../support/channel-bench.js";
import { clientStream, serverStream } from "../support/test-call.js";

const HOUR_MS = 3_600_000;
const OPTIONS = { retry: false, breaker: false, timeoutMs: null } as const;

it.each([
  ["a restart", status.UNAVAILABLE],
  ["an answer", status.NOT_FOUND],
])("a response stream that ends after an hour with %s does not make its endpoint a slow one", async (_, code) => {
  const bench = await readyBench(OPTIONS);
  serverStream(bench.channel).flow();
  await bench.settle();
  bench.network.current.message("first");
  await bench.advance(HOUR_MS);

  bench.network.current.failAfterHeaders(code);
  await bench.settle();

  expect(bench.channel.endpoints()[0]?.latencyMs ?? 0).toBeLessThanOrEqual(1_000);
});

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

it("calls go on to an endpoint under least_latency after a stream of an hour has ended there", async () => {
  const bench = await readyBench({ ...OPTIONS, loadBalancing: "least_latency" }, { addresses: [A, B] });
  for (let call = 0; call < 10; call++) {
    await bench.unary();
    await bench.advance(10);
    bench.network.current.ok();
    await bench.settle();
  }
  serverStream(bench.channel).flow();
  await bench.settle();
  const stream = bench.network.current;
  stream.message("first");
  await bench.advance(HOUR_MS);
  stream.failAfterHeaders(status.UNAVAILABLE);
  await bench.advance(30_000);
  const before = bench.network.calls.length;

  for (let call = 0; call < 20; call++) {
    await bench.unary();
    await bench.advance(10);
    bench.network.current.ok();
    await bench.settle();
  }

  expect(bench.network.route.slice(before)).toContain(stream.peer);
});
