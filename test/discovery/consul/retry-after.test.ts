import { describe, expect, it } from "vitest";
import { retryAfterMs } from "../../../src/discovery/consul/retry-after.js";

const NOW = Date.UTC(2030, 0, 1, 12, 0, 0);

describe("retryAfterMs", () => {
  it.each([
    ["seconds", "7", 7_000],
    ["parts of a second", "0.5", 500],
    ["a date", "Tue, 01 Jan 2030 12:00:09 GMT", 9_000],
    ["a date that is over", "Tue, 01 Jan 2030 11:00:00 GMT", 0],
    ["nothing", undefined, 0],
    ["an empty text", "", 0],
    ["less than nothing", "-5", 0],
    ["junk", "soon", 0],
    ["the first of two", ["3", "9"], 3_000],
    ["a day, of which five minutes are honoured", "86400", 300_000],
  ])("reads %s", (_what, header, expected) => {
    expect(retryAfterMs(header, NOW)).toBe(expected);
  });
});
