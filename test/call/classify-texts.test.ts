import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { classify } from "../../src/call/classify.js";
import type { Outcome } from "../../src/core/index.js";
import { brief, facts, LOST, made, QUEUED, SENT } from "./evidence.js";

const { UNAVAILABLE, INTERNAL, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, UNAUTHENTICATED } = status;

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
      UNAVAILABLE,
      "Name resolution failed for target dns:x:1: getaddrinfo ENOTFOUND x",
      { reason: "CONNECTION_LOST", progress: "unsent", processed: "no" },
    ],
    [
      UNAVAILABLE,
      "Parsing service config failed with error x",
      { reason: "CONNECTION_LOST", progress: "unsent", processed: "no" },
    ],
    [
      INTERNAL,
      "Received RST_STREAM with code 2 triggered by internal client error: write EPIPE",
      {
        reason: "CONNECTION_LOST",
        progress: "sent",
        processed: "maybe",
        isConnectionLoss: true,
        code: UNAVAILABLE,
      },
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
      "Deadline exceeded after 0.000s,waiting for metadata filters",
      { reason: "DEADLINE_EXCEEDED", progress: "sent", processed: "maybe" },
    ],
    [
      DEADLINE_EXCEEDED,
      "Deadline exceeded after 1.000s,Waiting for LB pick",
      { reason: "DEADLINE_EXCEEDED", progress: "unsent", processed: "no" },
    ],
    [
      DEADLINE_EXCEEDED,
      "Deadline exceeded after 1.000s,previous attempts: 1,Waiting for LB pick",
      { reason: "DEADLINE_EXCEEDED", progress: "sent", processed: "maybe" },
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
      "Received message that decompresses to a size larger than 4",
      { reason: "MESSAGE_TOO_LARGE", progress: "sent", processed: "maybe" },
    ],
    [
      RESOURCE_EXHAUSTED,
      "Attempted to send message with a size larger than 4",
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
      { reason: "METADATA_INVALID", progress: "no-pick", processed: "no" },
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
    [RESOURCE_EXHAUSTED, "Attempted to send message with a size larger than 4"],
    [DEADLINE_EXCEEDED, "Deadline exceeded after 1.000s"],
  ])("%d %s before any stream was opened reached nobody", (code, details) => {
    const isDeadlineDue = code === DEADLINE_EXCEEDED;

    expect(facts(code, details, { ...QUEUED, isDeadlineDue })).toMatchObject({
      progress: "unsent",
      processed: "no",
    });
  });

  it.each([
    "Deadline exceeded after 0.000s,waiting for metadata filters",
    "Deadline exceeded after 1.000s,previous attempts: 1,Waiting for LB pick",
  ])("%s may have reached somebody, though no stream is seen", (details) => {
    expect(facts(DEADLINE_EXCEEDED, details, { ...QUEUED, isDeadlineDue: true })).toMatchObject({
      progress: "sent",
      processed: "maybe",
    });
  });

  it.each(["Stream refused by server", "No connection established. Last error: x"])(
    "%s proves nothing after attempts that a stub's own channel made by itself",
    (details) => {
      const status = made(UNAVAILABLE, details);
      status.metadata.set("grpc-previous-rpc-attempts", "1");

      const outcome = classify(status, { ...SENT, isPooled: false, isStreamOpened: null });

      expect(brief(outcome)).toMatchObject({ origin: "local", progress: "sent", processed: "maybe" });
    },
  );

  it("words that are new to us reached nobody where no stream was opened", () => {
    expect(facts(INTERNAL, "Failed to route call to method x", QUEUED)).toMatchObject({
      code: INTERNAL,
      origin: "local",
      processed: "no",
      progress: "no-pick",
    });
  });

  it("a GOAWAY with the code REFUSED_STREAM refuses no call: it ends them all", () => {
    const outcome = facts(UNAVAILABLE, "Stream refused by server", { ...LOST, isSessionOver: true });

    expect(outcome).toMatchObject({ progress: "sent", processed: "maybe", isConnectionLoss: true });
  });

  it("a GOAWAY that lets running calls finish refuses those above its last stream id", () => {
    const outcome = facts(UNAVAILABLE, "Stream refused by server", { ...LOST, isSessionOver: false });

    expect(outcome).toMatchObject({ progress: "refused", processed: "no" });
  });

  it("where it cannot be seen whether a stream was opened, the server may have run it", () => {
    expect(facts(UNAVAILABLE, "Connection dropped", { isStreamOpened: null })).toMatchObject({
      progress: "sent",
      processed: "maybe",
    });
  });

  it("R178: a write that failed on a lost connection is part of that loss (a race, so not met on a socket)", () => {
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
