import * as grpc from "@grpc/grpc-js";
import { type FailureReport, isReason, ResilienceError } from "holdfast";
import { describe, expect, it } from "vitest";
import { flavours } from "../fixtures/stubs/flavours.js";
import { type CallEnd, callToEnd, KINDS } from "../support/contract-calls.js";
import { describeDoors, doors, QUICK } from "../support/contract-doors.js";
import { direct, REFUSAL } from "../support/directed-server.js";

const { DEADLINE_EXCEEDED, FAILED_PRECONDITION, RESOURCE_EXHAUSTED, UNAVAILABLE } = grpc.status;
const TS_PROTO = flavours.filter(({ name }) => name === "ts-proto");
/** Nothing listens here. */
const NOBODY = "127.0.0.1:9";

type Failure = grpc.ServiceError & FailureReport & { toJSON(): object };

function failureOf({ error }: CallEnd): Failure {
  if (error === null) throw new Error("the call was to fail");
  return error as Failure;
}

describeDoors(
  (entrance) => {
    const { flavour } = entrance;

    describe.each(KINDS)("the error of a %s call", (kind) => {
      it("tells of a server's own failure where it came from and what became of it", async () => {
        const failure = failureOf(await entrance.call(kind, { metadata: direct("fail") }));

        expect(failure).toMatchObject({ reason: "REMOTE", origin: "remote", processed: "maybe" });
        expect(failure.attempts).toEqual([
          {
            attempt: 1,
            endpoint: expect.stringContaining("127.0.0.1:"),
            startedMs: expect.any(Number),
            ms: expect.any(Number),
            code: FAILED_PRECONDITION,
            reason: "REMOTE",
            origin: "remote",
            processed: "maybe",
            details: REFUSAL.details,
            next: "not retried: FAILED_PRECONDITION is not a retryable code",
          },
        ]);
        expect(failure.explanation).toMatch(
          /^holdfast\.contract\.Contract\/\w+: FAILED_PRECONDITION after 1 attempt on /,
        );
        expect(failure.details).toBe(REFUSAL.details);
      });

      it("tells of a failure of our own in its details, too", async () => {
        const failure = failureOf(await entrance.call(kind, {}, { addresses: [NOBODY] }));

        expect(failure).toMatchObject({ code: UNAVAILABLE, origin: "local", processed: "no" });
        expect(failure.reason).toMatch(/^(DIAL_FAILED|RETRIES_EXHAUSTED)$/);
        expect(failure.details).toBe(failure.explanation);
        expect(failure.details).toContain("ECONNREFUSED");
        expect(failure.details).toContain("the server did not run it");
      });

      it("remains grpc-js's own in message, name and stack", async () => {
        const failure = failureOf(await entrance.call(kind, { metadata: direct("fail") }));

        expect(failure).toBeInstanceOf(Error);
        expect(failure.name).toBe("Error");
        expect(failure.message).toBe(`9 FAILED_PRECONDITION: ${REFUSAL.details}`);
        expect(failure.stack).toContain("for call at");
        expect(failure.stack).toContain("contract-calls.ts");
      });

      it("is known by its mark and narrowed by its reason", async () => {
        const { error, status } = await entrance.call(kind, { metadata: direct("fail") });

        expect(error instanceof ResilienceError).toBe(true);
        expect(isReason(error, "REMOTE")).toBe(true);
        expect(isReason(error, "CIRCUIT_OPEN")).toBe(false);
        expect(isReason(status, "REMOTE")).toBe(true);
      });
    });

    it.each(["serverStream", "bidi"] as const)(
      "says that the server ran a %s call which it answered",
      async (kind) => {
        const failure = failureOf(await entrance.call(kind, { metadata: direct("fail-late") }));

        expect(failure).toMatchObject({
          reason: "REMOTE",
          processed: "yes",
          attempts: [{ processed: "yes" }],
        });
        expect(failure.explanation).toMatch(/; the server ran it$/);
      },
    );

    it("makes a line for the log that is bounded and holds no metadata values", async () => {
      const metadata = direct("fail");
      metadata.set("authorization", "s3cret-token");

      const failure = failureOf(await entrance.call("unary", { metadata }));
      const line = JSON.stringify(failure);

      expect(line).not.toContain("s3cret");
      expect(line.length).toBeLessThan(2_000);
      expect(JSON.parse(line)).toMatchObject({
        code: FAILED_PRECONDITION,
        details: REFUSAL.details,
        reason: "REMOTE",
        metadataKeys: expect.arrayContaining(["why", "why-bin"]),
        attemptsMade: 1,
      });
    });

    it("keeps the line for the log bounded after many attempts", async () => {
      const retry = {
        ...QUICK.retry,
        maxAttempts: 20,
        maxAttemptsLimit: 20,
        retryableCodes: [FAILED_PRECONDITION],
      };
      const metadata = direct("fail", { idempotentRequest: true });

      const failure = failureOf(
        await entrance.call("unary", { metadata }, { channel: { retry, breaker: false } }),
      );

      expect(failure.attempts).toHaveLength(20);
      expect(JSON.stringify(failure).length).toBeLessThan(20_000);
    });

    it("names every attempt and why there was another", async () => {
      const metadata = direct("fail", { idempotentRequest: true });
      const retry = { ...QUICK.retry, retryableCodes: [FAILED_PRECONDITION] };

      const failure = failureOf(await entrance.call("unary", { metadata }, { channel: { retry } }));

      expect(failure.attempts.map(({ attempt, next }) => [attempt, next])).toEqual([
        [1, "retried after 0 ms"],
        [2, "retried after 0 ms"],
        [3, "not retried: 3 of 3 attempts used"],
      ]);
      expect(failure).toMatchObject({ reason: "REMOTE", details: REFUSAL.details });
      expect(failure.explanation).toContain("after 3 attempts on ");
    });

    it("tells on the status of a success what was tried before", async () => {
      const metadata = direct("fail-first", { idempotentRequest: true });

      const { status } = await entrance.call("unary", { metadata });

      expect(status).toMatchObject({ code: grpc.status.OK, attempts: [{ attempt: 1, code: UNAVAILABLE }] });
    });

    it("says RETRIES_EXHAUSTED when the last of several attempts failed by our own hand", async () => {
      const metadata = direct("hang", { idempotentRequest: true });
      const { stub } = entrance.open({ channel: { ...QUICK, attemptTimeoutMs: 40 } });
      await callToEnd(flavour, stub, "unary");

      const failure = failureOf(await callToEnd(flavour, stub, "unary", { metadata }));

      expect(failure).toMatchObject({
        code: DEADLINE_EXCEEDED,
        reason: "RETRIES_EXHAUSTED",
        processed: "maybe",
      });
      expect(failure.attempts.map(({ reason }) => reason)).toEqual(Array(3).fill("ATTEMPT_TIMEOUT"));
    });

    it("keeps the reason of a single attempt that timed out", async () => {
      const { stub } = entrance.open({ channel: { ...QUICK, attemptTimeoutMs: 40 } });
      await callToEnd(flavour, stub, "unary");

      const failure = failureOf(await callToEnd(flavour, stub, "unary", { metadata: direct("hang") }));

      expect(failure).toMatchObject({
        code: DEADLINE_EXCEEDED,
        reason: "ATTEMPT_TIMEOUT",
        processed: "maybe",
      });
      expect(failure.explanation).toContain("the method is not declared idempotent");
    });

    it.each(["unary", "clientStream"] as const)(
      "does not send a %s message that is too large",
      async (kind) => {
        const channel = { ...QUICK, maxSendMessageBytes: 100 };

        const failure = failureOf(await entrance.call(kind, { texts: ["x".repeat(101)] }, { channel }));

        expect(failure).toMatchObject({
          code: RESOURCE_EXHAUSTED,
          reason: "MESSAGE_TOO_LARGE",
          processed: "no",
        });
        expect(failure.details).toContain("maxSendMessageBytes allows 100");
        expect(entrance.runs.flatMap((run) => run.texts)).toEqual([]);
      },
    );
  },
  doors,
  TS_PROTO,
);
