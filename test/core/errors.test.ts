import { Metadata, status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { configInvalid, isReason, ResilienceError, reportedStatus } from "../../src/core/errors.js";
import type { AttemptRecord, FailureReport } from "../../src/core/outcome.js";

function record(attempt: number, details = "connect ECONNREFUSED"): AttemptRecord {
  return {
    attempt,
    endpoint: "10.0.0.1:1",
    startedMs: 0,
    ms: 1,
    code: status.UNAVAILABLE,
    reason: "DIAL_FAILED",
    origin: "local",
    processed: "no",
    details,
    next: "",
  };
}

function report(changes: Partial<FailureReport> = {}): FailureReport {
  return {
    reason: "RETRIES_EXHAUSTED",
    origin: "local",
    processed: "no",
    attempts: [record(1)],
    explanation: "a sentence",
    ...changes,
  };
}

function secretMetadata(): Metadata {
  const metadata = new Metadata();
  metadata.set("authorization", "Bearer s3cret");
  return metadata;
}

/** What grpc-js makes of a status: an Error with every own field of the status copied onto it. */
function asServiceError(reported: object): Error {
  return Object.assign(new Error("14 UNAVAILABLE: x"), reported);
}

describe("ResilienceError", () => {
  it("is shaped like grpc-js's ServiceError, so that existing callers keep working", () => {
    const cause = new Error("socket hang up");
    const error = new ResilienceError({
      reason: "CIRCUIT_OPEN",
      code: status.UNAVAILABLE,
      details: "the circuit is open",
      cause,
    });

    expect(error).toBeInstanceOf(Error);
    expect(error).toMatchObject({
      name: "ResilienceError",
      message: "CIRCUIT_OPEN: the circuit is open",
      code: 14,
      details: "the circuit is open",
      explanation: "the circuit is open",
      origin: "local",
      processed: "no",
      attempts: [],
    });
    expect(error.metadata).toBeInstanceOf(Metadata);
    expect(error.cause).toBe(cause);
  });

  it("has no cause field when there was no cause", () => {
    const error = new ResilienceError({ reason: "CANCELLED", code: status.CANCELLED, details: "x" });

    expect("cause" in error).toBe(false);
  });

  it("is known by instanceof across two copies of the package", async () => {
    vi.resetModules();
    const other = await import("../../src/core/errors.js");
    const foreign = new other.ResilienceError({ reason: "CANCELLED", code: 1, details: "x" });

    expect(other.ResilienceError).not.toBe(ResilienceError);
    expect(foreign).toBeInstanceOf(ResilienceError);
    expect(isReason(foreign, "CANCELLED")).toBe(true);
  });

  it.each([[new Error("x")], [{ reason: "CANCELLED" }], [null], [undefined], ["CANCELLED"], [14]])(
    "is not seen in a stranger: %s",
    (stranger) => {
      expect((stranger as unknown) instanceof ResilienceError).toBe(false);
      expect(isReason(stranger, "CANCELLED")).toBe(false);
    },
  );

  it("keeps its mark out of its own fields, so that logs stay readable", () => {
    const error = new ResilienceError({ reason: "CANCELLED", code: 1, details: "x" });

    expect(Object.getOwnPropertySymbols(error)).toEqual([]);
  });
});

describe("isReason", () => {
  it("is true for exactly the reason of the error", () => {
    const error = configInvalid("bad");

    expect(isReason(error, "CONFIG_INVALID")).toBe(true);
    expect(isReason(error, "CANCELLED")).toBe(false);
  });

  it("R163: refused input is INTERNAL, never INVALID_ARGUMENT", () => {
    expect(configInvalid("bad").code).toBe(status.INTERNAL);
  });
});

describe("a reported status", () => {
  it("leaves code, details and metadata of the server's answer untouched", () => {
    const metadata = secretMetadata();

    const reported = reportedStatus({ code: status.NOT_FOUND, details: "no such user", metadata }, report());

    expect(reported).toMatchObject({ code: status.NOT_FOUND, details: "no such user", ...report() });
    expect(reported.metadata).toBe(metadata);
  });

  it("carries its mark and its story onto the error that grpc-js makes of it", () => {
    const reported = reportedStatus({ code: 14, details: "x", metadata: new Metadata() }, report());

    const error = asServiceError(reported);

    expect(error).toBeInstanceOf(ResilienceError);
    expect(isReason(error, "RETRIES_EXHAUSTED")).toBe(true);
    expect(error.message).toBe("14 UNAVAILABLE: x");
  });

  it("never carries message, name or stack, which would break that error", () => {
    const reported = reportedStatus({ code: 14, details: "x", metadata: new Metadata() }, report());

    for (const key of ["message", "name", "stack"]) expect(key in reported).toBe(false);
  });
});

describe("toJSON", () => {
  const many = Array.from({ length: 500 }, (_, index) => record(index + 1));

  it.each([
    [
      "a thrown error",
      (attempts: AttemptRecord[]) =>
        new ResilienceError({ ...report({ attempts }), code: 14, details: "x", metadata: secretMetadata() }),
    ],
    [
      "an error made by grpc-js",
      (attempts: AttemptRecord[]) =>
        asServiceError(
          reportedStatus({ code: 14, details: "x", metadata: secretMetadata() }, report({ attempts })),
        ),
    ],
  ])("of %s names the metadata keys but never their values", (_what, make) => {
    const text = JSON.stringify(make([record(1)]));

    expect(text).toContain("authorization");
    expect(text).not.toContain("s3cret");
    expect(JSON.parse(text)).toMatchObject({ reason: "RETRIES_EXHAUSTED", code: 14, processed: "no" });
  });

  it("keeps 20 of 500 attempts and says how many there were", () => {
    const error = new ResilienceError({ ...report({ attempts: many }), code: 14, details: "x" });

    const parsed = JSON.parse(JSON.stringify(error));

    expect(parsed.attempts).toHaveLength(20);
    expect(parsed.attemptsMade).toBe(500);
  });

  it("stays a log line when a server writes a novel into its details", () => {
    const novel = "x".repeat(60_000);
    const attempts = [record(1, novel), record(2, novel)];
    const error = new ResilienceError({ ...report({ attempts }), code: 14, details: novel });

    expect(JSON.stringify(error).length).toBeLessThan(20_000);
  });
});
