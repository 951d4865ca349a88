import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { IDEMPOTENT, readyBench } from "../support/channel-bench.js";

it("a second answer to an idempotent unary call reaches the caller while it can still be refused", async () => {
  const bench = await readyBench(IDEMPOTENT);
  const call = await bench.unary();

  bench.network.current.headers();
  bench.network.current.message("one");
  bench.network.current.message("two");
  await bench.settle();
  expect(call.log).toEqual(["headers", "one", "two"]);
  call.inner.cancelWithStatus(status.UNIMPLEMENTED, "Too many responses received");
  await bench.settle();

  expect(call.status).toMatchObject({ code: status.UNIMPLEMENTED, processed: "yes" });
  expect(bench.network.calls).toHaveLength(1);
});
