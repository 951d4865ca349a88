import { expect, it } from "vitest";
import { IDEMPOTENT, readyBench } from "../support/channel-bench.js";
import { clientStream } from "../support/test-call.js";

it("headers that come while the request is still open are told at once, because its writer may wait for them", async () => {
  const bench = await readyBench(IDEMPOTENT);
  const call = clientStream(bench.channel).write("first");
  await bench.settle();

  bench.network.current.headers();
  await bench.settle();

  expect(call.log).toEqual(["headers"]);
});
