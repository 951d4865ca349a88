import { expect, it } from "vitest";
import { deadlineToEpochMs } from "../../src/core/deadline.js";

it.each([
  ["epoch milliseconds", 1_700_000_000_000, 1_700_000_000_000],
  ["a Date", new Date(1_700_000_000_000), 1_700_000_000_000],
  ["no deadline", Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY],
  ["an instant long past", 0, 0],
  ["an unreadable Date", new Date("yesterday"), Number.POSITIVE_INFINITY],
  ["a number that is none", Number.NaN, Number.POSITIVE_INFINITY],
])("reads %s as grpc-js means it", (_what, deadline, expected) => {
  expect(deadlineToEpochMs(deadline)).toBe(expected);
});
