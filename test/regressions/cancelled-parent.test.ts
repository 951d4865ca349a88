import { propagate, status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { readyBench } from "../support/channel-bench.js";

const parent = {
  cancelled: true,
  getDeadline: () => Number.POSITIVE_INFINITY,
  on: () => {},
  removeListener: () => {},
};

it("a call made for a parent that is cancelled already is never sent", async () => {
  const bench = await readyBench();

  const call = await bench.unary({ parent });

  expect(call.status).toMatchObject({ code: status.CANCELLED, reason: "CANCELLED", processed: "no" });
  expect(bench.network.calls).toHaveLength(0);
});

it("a call that does not follow its parent's cancellation is sent all the same", async () => {
  const bench = await readyBench();

  await bench.unary({ parent, propagateFlags: propagate.DEADLINE });

  expect(bench.network.calls).toHaveLength(1);
});
