import { status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { FIVE_ATTEMPTS, failCurrent, msToNextAttempt } from "../call/attempts.js";
import { A, B, C, readyBench } from "../support/channel-bench.js";

it("a retry is picked among the endpoints that there are by then, not those of its first attempt (R13)", async () => {
  const bench = await readyBench(FIVE_ATTEMPTS, { addresses: [A, B] });
  const call = await bench.unary();
  await failCurrent(bench);

  bench.channel.updateEndpoints([C]);
  await msToNextAttempt(bench);
  bench.network.current.ok();
  await bench.settle();

  expect(bench.network.route.slice(1)).toEqual([C]);
  expect(call.status.code).toBe(status.OK);
});

it("a retry may return to the endpoint that failed where there is no other (R13)", async () => {
  const bench = await readyBench(FIVE_ATTEMPTS);
  await bench.unary();

  await failCurrent(bench);
  await msToNextAttempt(bench);

  expect(bench.network.route).toEqual([A, A]);
});
