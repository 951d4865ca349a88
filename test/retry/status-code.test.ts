import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { parseFailureCode, statusName } from "../../src/retry/status-code.js";

describe("status codes in options", () => {
  it.each([14, "UNAVAILABLE", "unavailable", "UnAvailable"])("R5: reads %j as UNAVAILABLE", (code) => {
    const parsed = parseFailureCode(code);

    expect(parsed).toBe(status.UNAVAILABLE);
  });

  it("R5: knows every failure code by number and by name", () => {
    const numbers = Array.from({ length: 16 }, (_, index) => index + 1);

    expect(numbers.map(parseFailureCode)).toEqual(numbers);
    expect(numbers.map((code) => parseFailureCode(statusName(code)))).toEqual(numbers);
  });

  it.each([
    ["UNAVAILABEL", '"UNAVAILABEL" is not a gRPC status code (did you mean UNAVAILABLE?)'],
    [99, "99 is not a gRPC status code (known: 1 to 16)"],
    [-1, "-1 is not a gRPC status code (known: 1 to 16)"],
    [1.5, "1.5 is not a gRPC status code (known: 1 to 16)"],
    [Number.NaN, "null is not a gRPC status code (known: 1 to 16)"],
  ])("R5: says what is wrong with %j", (code, problem) => {
    const parsed = parseFailureCode(code);

    expect(parsed).toBe(problem);
  });

  it.each(["14", "", "constructor", "toString"])("takes the text %j for no code", (code) => {
    const parsed = parseFailureCode(code);

    expect(parsed).toContain(`${JSON.stringify(code)} is not a gRPC status code`);
  });

  it.each([0, "OK", "ok"])("refuses to call %j a failure", (code) => {
    const parsed = parseFailureCode(code);

    expect(parsed).toBe(`${JSON.stringify(code)} is no failure, so it cannot be retried`);
  });

  it("never suggests OK for a typo", () => {
    expect(parseFailureCode("OKK")).not.toContain("OK?");
  });

  it("names a code outside gRPC's table by its number", () => {
    expect(statusName(7)).toBe("PERMISSION_DENIED");
    expect(statusName(42)).toBe("42");
  });
});
