import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { cancelled, classify, notSent } from "../../src/call/classify.js";
import { brief, facts, LOST, made, QUEUED, SENT } from "./evidence.js";

const { UNAVAILABLE, INTERNAL, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, CANCELLED } = status;

describe("words of a server", () => {
  it.each([
    "Stream refused by server",
    "Connection dropped",
    "Deadline exceeded",
    "No connection established",
    "read ECONNRESET",
  ])("with a content type are a server's, though they read %j", (details) => {
    const outcome = classify(made(UNAVAILABLE, details, "application/grpc"), { ...SENT, ...LOST });

    expect(brief(outcome)).toEqual({
      code: UNAVAILABLE,
      reason: "REMOTE",
      origin: "remote",
      processed: "maybe",
      progress: "sent",
      isConnectionLoss: false,
    });
  });

  it.each<[status, string]>([
    [DEADLINE_EXCEEDED, "Deadline exceeded after 0.100s,remote_addr=10.7.7.7:1"],
    [UNAVAILABLE, "Connection dropped"],
  ])(
    "that follow response headers on a living connection are the server's own trouble: %d %s",
    (code, details) => {
      const outcome = facts(code, details, { hasHeaders: true });

      expect(outcome).toMatchObject({ code, reason: "REMOTE", origin: "remote", isConnectionLoss: false });
    },
  );

  it("without a content type are a server's, or a gateway's, by any other metadata of theirs", () => {
    const status = made(UNAVAILABLE, "Stream refused by server");
    status.metadata.set("date", "Thu, 01 Jan 1970 00:00:00 GMT");

    expect(brief(classify(status, SENT))).toMatchObject({ reason: "REMOTE", processed: "maybe" });
  });

  it("after a response message prove that the call ran", () => {
    expect(facts(status.DATA_LOSS, "x", { hasHeaders: true, hasMessage: true })).toMatchObject({
      reason: "REMOTE",
      processed: "yes",
    });
  });

  it.each([status.NOT_FOUND, status.INVALID_ARGUMENT, UNAVAILABLE, INTERNAL])(
    "of code %d reach the caller as they are",
    (code) => {
      expect(facts(code, "application says so")).toMatchObject({ code, reason: "REMOTE", origin: "remote" });
    },
  );

  it("R22: UNAVAILABLE alone proves nothing", () => {
    expect(facts(UNAVAILABLE, "busy")).toMatchObject({ processed: "maybe", progress: "sent" });
  });
});

describe("R178: a stream reset by the end of its connection", () => {
  it.each<[status, string]>([
    [INTERNAL, "Received RST_STREAM with code 2 (Internal server error)"],
    [CANCELLED, "Call cancelled"],
    [RESOURCE_EXHAUSTED, "Bandwidth exhausted or memory limit exceeded"],
    [status.PERMISSION_DENIED, "Protocol not secure enough"],
  ])("%d %s is that connection's loss, and UNAVAILABLE", (code, details) => {
    expect(facts(code, details, LOST)).toEqual({
      code: UNAVAILABLE,
      reason: "CONNECTION_LOST",
      origin: "local",
      processed: "maybe",
      progress: "sent",
      isConnectionLoss: true,
    });
  });

  it("is that connection's loss after headers too, when the session is over", () => {
    const details = "Bandwidth exhausted or memory limit exceeded";
    const seen = { ...LOST, hasHeaders: true };

    expect(facts(RESOURCE_EXHAUSTED, details, { ...seen, isSessionOver: true }).code).toBe(UNAVAILABLE);
    expect(facts(RESOURCE_EXHAUSTED, details, seen)).toMatchObject({ reason: "REMOTE" });
  });

  it("is a server's word while the connection lives", () => {
    expect(facts(RESOURCE_EXHAUSTED, "Bandwidth exhausted or memory limit exceeded")).toMatchObject({
      code: RESOURCE_EXHAUSTED,
      reason: "REMOTE",
    });
  });

  it("is a server's word when it came with a content type", () => {
    const outcome = classify(made(CANCELLED, "Call cancelled", "application/grpc"), { ...SENT, ...LOST });

    expect(outcome.reason).toBe("REMOTE");
  });
});

describe("time that is up", () => {
  it("is the attempt's, when the call still has time", () => {
    expect(
      facts(DEADLINE_EXCEEDED, "Deadline exceeded after 1.000s", {
        isAttemptLimited: true,
        isDeadlineDue: true,
      }),
    ).toMatchObject({
      code: DEADLINE_EXCEEDED,
      reason: "ATTEMPT_TIMEOUT",
      origin: "local",
      processed: "maybe",
    });
  });

  it.each([CANCELLED, DEADLINE_EXCEEDED])(
    "R52: is what a server means that ends the call with %d as the time runs out",
    (code) => {
      const outcome = classify(made(code, "cancelled", "application/grpc"), { ...SENT, isDeadlineDue: true });

      expect(brief(outcome)).toMatchObject({
        code: DEADLINE_EXCEEDED,
        reason: "DEADLINE_EXCEEDED",
        origin: "local",
      });
      expect(outcome.details).toContain("cancelled");
    },
  );

  it("R52: is the attempt's when only the attempt was limited", () => {
    expect(facts(CANCELLED, "x", { isDeadlineDue: true, isAttemptLimited: true })).toMatchObject({
      reason: "ATTEMPT_TIMEOUT",
    });
  });

  it("R52: a server that cancels before the time is up has cancelled", () => {
    expect(facts(CANCELLED, "Call cancelled")).toMatchObject({ code: CANCELLED, reason: "REMOTE" });
  });

  it("R52: a server that cancels a response it had begun has cancelled", () => {
    expect(facts(CANCELLED, "x", { isDeadlineDue: true, hasHeaders: true })).toMatchObject({
      code: CANCELLED,
    });
  });
});

describe("a stub's own channel", () => {
  it("that cannot connect is a failed dial, to be retried by policy, not a race to be repeated at once", () => {
    expect(
      facts(UNAVAILABLE, "No connection established. Last error: x", {
        isPooled: false,
        isStreamOpened: null,
      }),
    ).toEqual({
      code: UNAVAILABLE,
      reason: "DIAL_FAILED",
      origin: "local",
      processed: "no",
      progress: "no-pick",
      isConnectionLoss: false,
    });
  });

  it("that cannot connect is UNAVAILABLE, also where grpc-js calls it INTERNAL", () => {
    expect(
      facts(INTERNAL, "Failed to start HTTP/2 stream with error x", {
        isPooled: false,
        isStreamOpened: null,
      }),
    ).toMatchObject({ code: UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" });
  });

  it("still proves a refused stream refused", () => {
    expect(
      facts(UNAVAILABLE, "Stream refused by server", { isPooled: false, isStreamOpened: null }),
    ).toMatchObject({
      progress: "refused",
      processed: "no",
    });
  });
});

describe("an end of our own making", () => {
  it("of a running attempt never claims that nothing was sent", () => {
    const given = made(CANCELLED, "Cancelled on client");

    expect(brief(cancelled(given, "CANCELLED", { ...SENT, ...QUEUED }))).toMatchObject({
      processed: "maybe",
    });
    expect(brief(cancelled(given, "CANCELLED", { ...SENT, hasMessage: true }))).toMatchObject({
      processed: "yes",
    });
  });

  it("before any attempt is certain: no server ran it", () => {
    expect(brief(notSent(made(UNAVAILABLE, "x"), "DIAL_FAILED"))).toMatchObject({
      processed: "no",
      progress: "no-pick",
    });
  });
});
