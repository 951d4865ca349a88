import { Metadata, type StatusObject, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { cancelled, classify, type Evidence, notSent } from "../../src/call/classify.js";
import type { Outcome } from "../../src/core/index.js";

/** Sent on a pooled connection that lives; nothing came back. */
const SENT: Evidence = {
  hasHeaders: false,
  hasMessage: false,
  isStreamOpened: true,
  isConnectionLost: false,
  isAttemptLimited: false,
  isPooled: true,
  isDeadlineDue: false,
};
const QUEUED = { isStreamOpened: false };
const LOST = { isConnectionLost: true };

function made(code: status, details: string, contentType?: string): StatusObject {
  const metadata = new Metadata();
  if (contentType !== undefined) metadata.set("content-type", contentType);
  return { code, details, metadata };
}

/** What is made of a status that carries no content type. */
function facts(code: status, details: string, evidence: Partial<Evidence> = {}) {
  return brief(classify(made(code, details), { ...SENT, ...evidence }));
}

function brief({ reason, origin, processed, progress, isConnectionLoss, code }: Outcome) {
  return { code, reason, origin, processed, progress, isConnectionLoss };
}

const { UNAVAILABLE, INTERNAL, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, CANCELLED, UNAUTHENTICATED } = status;

describe("a status that grpc-js makes up itself is known by its text", () => {
  it.each<[status, string, Partial<Outcome>]>([
    [
      UNAVAILABLE,
      "Stream refused by server",
      { reason: "CONNECTION_LOST", progress: "refused", processed: "no" },
    ],
    [
      UNAVAILABLE,
      "No connection established. Last error: x",
      { reason: "CONNECTION_LOST", progress: "unsent", processed: "no" },
    ],
    [
      UNAVAILABLE,
      "Channel closed before call started",
      { reason: "CONNECTION_LOST", progress: "unsent", processed: "no" },
    ],
    [
      INTERNAL,
      "Failed to start HTTP/2 stream with error x",
      { reason: "CONNECTION_LOST", progress: "unsent", processed: "no", code: UNAVAILABLE },
    ],
    [
      DEADLINE_EXCEEDED,
      "Deadline exceeded after 1.000s,waiting for name resolution",
      { reason: "DEADLINE_EXCEEDED", progress: "unsent", processed: "no" },
    ],
    [
      DEADLINE_EXCEEDED,
      "Deadline exceeded after 1.000s,waiting for metadata filters",
      { reason: "DEADLINE_EXCEEDED", progress: "unsent", processed: "no" },
    ],
    [
      DEADLINE_EXCEEDED,
      "Deadline exceeded after 1.000s,Waiting for LB pick",
      { reason: "DEADLINE_EXCEEDED", progress: "unsent", processed: "no" },
    ],
    [
      DEADLINE_EXCEEDED,
      "Deadline exceeded after 1.000s,LB pick: 0.001s,remote_addr=10.0.0.1:1",
      { reason: "DEADLINE_EXCEEDED", progress: "sent", processed: "maybe" },
    ],
    [
      DEADLINE_EXCEEDED,
      "Deadline exceeded",
      { reason: "DEADLINE_EXCEEDED", progress: "sent", processed: "maybe" },
    ],
    [
      UNAVAILABLE,
      "Connection dropped",
      { reason: "CONNECTION_LOST", progress: "sent", processed: "maybe", isConnectionLoss: true },
    ],
    [
      UNAVAILABLE,
      "read ECONNRESET",
      { reason: "CONNECTION_LOST", progress: "sent", processed: "maybe", isConnectionLoss: true },
    ],
    [
      UNAVAILABLE,
      "write ETIMEDOUT",
      { reason: "CONNECTION_LOST", progress: "sent", processed: "maybe", isConnectionLoss: true },
    ],
    [
      UNAVAILABLE,
      "Write error: EPIPE",
      { reason: "CONNECTION_LOST", progress: "sent", processed: "maybe", isConnectionLoss: false },
    ],
    [
      INTERNAL,
      "Received RST_STREAM with code 2 triggered by internal client error: Session closed with error code 2",
      {
        reason: "CONNECTION_LOST",
        progress: "sent",
        processed: "maybe",
        isConnectionLoss: true,
        code: UNAVAILABLE,
      },
    ],
    [
      RESOURCE_EXHAUSTED,
      "Received message larger than max (5 vs. 4)",
      { reason: "MESSAGE_TOO_LARGE", progress: "sent", processed: "maybe" },
    ],
    [
      RESOURCE_EXHAUSTED,
      "Sent message larger than max (5 vs. 4)",
      { reason: "MESSAGE_TOO_LARGE", progress: "sent", processed: "maybe" },
    ],
    [
      UNAUTHENTICATED,
      "Getting metadata from plugin failed with error: x",
      { reason: "METADATA_INVALID", progress: "no-pick", processed: "no" },
    ],
    [
      INTERNAL,
      '"authorization" metadata cannot have multiple values',
      { reason: "METADATA_INVALID", progress: "sent", processed: "maybe" },
    ],
  ])("%d %s", (code, details, expected) => {
    const isDeadlineDue = code === DEADLINE_EXCEEDED;

    const found = facts(code, details, { isDeadlineDue });

    expect(found).toEqual({ code, origin: "local", isConnectionLoss: false, ...expected });
  });

  it.each<[status, string]>([
    [UNAVAILABLE, "Connection dropped"],
    [UNAVAILABLE, "read ECONNRESET"],
    [INTERNAL, "Session closed with error code 2"],
    [RESOURCE_EXHAUSTED, "Sent message larger than max (5 vs. 4)"],
    [DEADLINE_EXCEEDED, "Deadline exceeded after 1.000s"],
  ])("%d %s before any stream was opened reached nobody", (code, details) => {
    const isDeadlineDue = code === DEADLINE_EXCEEDED;

    expect(facts(code, details, { ...QUEUED, isDeadlineDue })).toMatchObject({
      progress: "unsent",
      processed: "no",
    });
  });

  it("where it cannot be seen whether a stream was opened, the server may have run it", () => {
    expect(facts(UNAVAILABLE, "Connection dropped", { isStreamOpened: null })).toMatchObject({
      progress: "sent",
      processed: "maybe",
    });
  });

  it("R178: a write that failed on a lost connection is part of that loss", () => {
    expect(facts(UNAVAILABLE, "Write error: EPIPE", LOST)).toMatchObject({ isConnectionLoss: true });
  });

  it("a loss after a response message is one of a call that ran", () => {
    expect(
      facts(UNAVAILABLE, "Connection dropped", { hasHeaders: true, hasMessage: true, ...LOST }),
    ).toMatchObject({
      processed: "yes",
      reason: "CONNECTION_LOST",
    });
  });

  it("the text alone is not enough: the code must be grpc-js's too", () => {
    expect(facts(status.ABORTED, "Connection dropped")).toMatchObject({ reason: "REMOTE", origin: "remote" });
  });

  it("details and metadata stay what they were", () => {
    const given = made(UNAVAILABLE, "Connection dropped");

    const outcome = classify(given, SENT);

    expect(outcome.details).toBe("Connection dropped");
    expect(outcome.metadata).toBe(given.metadata);
  });
});

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
