import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { isInfrastructureFailure } from "../../src/breaker/infrastructure.js";
import type { Outcome, Progress, Reason } from "../../src/core/index.js";
import { ALL_CODES, outcome } from "../retry/outcomes.js";

describe("what counts against an endpoint", () => {
  it("G21: of the server's own answers, UNAVAILABLE alone", () => {
    const failures = ALL_CODES.filter((code) => isInfrastructureFailure(outcome({ code })) === "failure");
    const others = ALL_CODES.filter((code) => isInfrastructureFailure(outcome({ code })) === "success");

    expect(failures).toEqual([status.UNAVAILABLE]);
    expect(others).toHaveLength(16);
  });

  it.each<[string, Partial<Outcome>]>([
    ["UNAVAILABLE made on our side", { origin: "local", reason: "CONNECTION_LOST" }],
    ["our attempt timeout", { code: status.DEADLINE_EXCEEDED, reason: "ATTEMPT_TIMEOUT", origin: "local" }],
    ["a lost connection that kept its code", { code: status.INTERNAL, reason: "CONNECTION_LOST" }],
    ["a failed dial", { code: status.INTERNAL, reason: "DIAL_FAILED", origin: "local" }],
    [
      "R178: a lost connection disguised as RESOURCE_EXHAUSTED",
      { code: status.RESOURCE_EXHAUSTED, isConnectionLoss: true },
    ],
    ["R178: a lost connection disguised as INTERNAL", { code: status.INTERNAL, isConnectionLoss: true }],
    ["a connection lost before the stream opened", { progress: "unsent", isConnectionLoss: true }],
  ])("counts %s", (_what, changes) => {
    expect(isInfrastructureFailure(outcome(changes))).toBe("failure");
  });

  it.each<Reason>([
    "CANCELLED",
    "DEADLINE_EXCEEDED",
    "CLIENT_CLOSED",
    "MESSAGE_TOO_LARGE",
    "METADATA_INVALID",
  ])(
    "R41: holds nothing against it, nor in its favour, when we made the end, under whatever code: %s",
    (reason) => {
      const verdicts = ALL_CODES.map((code) =>
        isInfrastructureFailure(outcome({ reason, code, origin: "local" })),
      );

      expect(new Set(verdicts)).toEqual(new Set(["neutral"]));
    },
  );

  it("says nothing about it when grpc-js could not read the reply", () => {
    expect(isInfrastructureFailure(outcome({ code: status.INTERNAL, origin: "local" }))).toBe("neutral");
  });

  it.each<[Progress, Reason]>([
    ["no-pick", "CIRCUIT_OPEN"],
    ["no-pick", "NO_READY_ENDPOINT"],
    ["no-pick", "DIAL_FAILED"],
    ["unsent", "REMOTE"],
    ["unsent", "ATTEMPT_TIMEOUT"],
    ["dropped", "OVERLOADED"],
  ])("says nothing about it when it was never asked: %s, %s", (progress, reason) => {
    expect(isInfrastructureFailure(outcome({ progress, reason, origin: "local" }))).toBe("neutral");
  });

  it("R71: holds no refused stream against a server that says goodbye", () => {
    expect(isInfrastructureFailure(outcome({ progress: "refused", processed: "no" }))).toBe("neutral");
  });

  it("takes a success for a success, whoever reports it", () => {
    expect(isInfrastructureFailure(outcome({ code: status.OK, origin: "local" }))).toBe("success");
  });

  it.each<[string, Partial<Outcome>, "success" | "neutral"]>([
    ["INVALID_ARGUMENT", { code: status.INVALID_ARGUMENT }, "success"],
    ["NOT_FOUND", { code: status.NOT_FOUND }, "success"],
    ["ALREADY_EXISTS", { code: status.ALREADY_EXISTS }, "success"],
    ["FAILED_PRECONDITION", { code: status.FAILED_PRECONDITION }, "success"],
    ["OUT_OF_RANGE", { code: status.OUT_OF_RANGE }, "success"],
    ["PERMISSION_DENIED", { code: status.PERMISSION_DENIED }, "success"],
    ["UNAUTHENTICATED", { code: status.UNAUTHENTICATED }, "success"],
    ["UNIMPLEMENTED", { code: status.UNIMPLEMENTED }, "success"],
    ["the server's own CANCELLED", { code: status.CANCELLED }, "success"],
    [
      "a cancel of ours: the caller's, or of the loser of a hedge (R41)",
      { code: status.CANCELLED, reason: "CANCELLED", origin: "local", progress: "sent" },
      "neutral",
    ],
    [
      "time that ran out in the queue (R56)",
      {
        code: status.DEADLINE_EXCEEDED,
        reason: "DEADLINE_EXCEEDED",
        origin: "local",
        progress: "no-pick",
      },
      "neutral",
    ],
  ])("ejects nobody for %s: a %j ends as %s (R103)", (_what, changes, verdict) => {
    expect(isInfrastructureFailure(outcome(changes))).toBe(verdict);
  });
});
