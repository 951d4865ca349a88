import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { Tally } from "../../examples/etcd/tally.js";
import { quantile } from "../../examples/shared/quantile.js";

function failure(code: status, processed?: "no" | "maybe"): ServiceError {
  const error = Object.assign(new Error("failed"), { code, details: "", metadata: new Metadata() });
  return processed === undefined ? error : Object.assign(error, { processed });
}

it("measures the longest time between two successes, failures in between or not", () => {
  const tally = new Tally(0);

  tally.record(0, 10, null);
  tally.record(10, 400, failure(status.UNAVAILABLE));
  tally.record(400, 510, null);
  tally.record(510, 520, null);

  expect(tally.finish(530).longestGapMs).toBe(500);
});

it("counts the time up to the end as a gap when a side never recovers", () => {
  const tally = new Tally(0);

  tally.record(0, 10, null);
  tally.record(10, 6_010, failure(status.DEADLINE_EXCEEDED));

  expect(tally.finish(9_010).longestGapMs).toBe(9_000);
});

it("counts failures by code and by whether the server may have run them", () => {
  const tally = new Tally(0);

  tally.record(0, 1, failure(status.UNAVAILABLE, "no"));
  tally.record(1, 2, failure(status.UNAVAILABLE, "maybe"));
  tally.record(2, 3, failure(status.DEADLINE_EXCEEDED));
  tally.record(3, 4, null);

  expect(tally.finish(4)).toMatchObject({
    calls: 4,
    ok: 1,
    failedTotal: 3,
    failed: { UNAVAILABLE: 2, DEADLINE_EXCEEDED: 1 },
    failedProcessed: { no: 1, maybe: 1, yes: 0, unsaid: 1 },
  });
});

it("takes the quantile that a share of the values does not exceed", () => {
  const sorted = Array.from({ length: 100 }, (_, index) => index + 1);

  expect([quantile(sorted, 0.5), quantile(sorted, 0.99), quantile([7], 0.99), quantile([], 0.5)]).toEqual([
    50, 99, 7, 0,
  ]);
});
