import { expect, it } from "vitest";
import { TimeoutSeries } from "../../src/pool/timeout-series.js";

it("timeouts that overlap the first of a series are one event", () => {
  const series = new TimeoutSeries();

  const first = series.incidentOf(0, 100);

  expect(series.incidentOf(50, 150)).toBe(first);
  expect(series.incidentOf(99, 199)).toBe(first);
});

it("an attempt begun when the first had already timed out begins a new event", () => {
  const series = new TimeoutSeries();
  const first = series.incidentOf(0, 100);

  const second = series.incidentOf(100, 200);

  expect(second).not.toBe(first);
  expect(series.incidentOf(150, 260)).toBe(second);
});

it("a chain of overlapping timeouts does not grow into one endless event", () => {
  const series = new TimeoutSeries();
  const events = new Set<object>();

  for (let start = 0; start < 1_000; start += 50) events.add(series.incidentOf(start, start + 100));

  expect(events.size).toBeGreaterThan(5);
});

it("a new event has not been counted yet", () => {
  const series = new TimeoutSeries();

  const first = series.incidentOf(0, 100);
  first.isCounted = true;

  expect(series.incidentOf(10, 110).isCounted).toBe(true);
  expect(series.incidentOf(100, 200).isCounted).toBe(false);
});
