import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import type { Processed, Reason } from "../../src/core/index.js";
import { ALL_CODES } from "./outcomes.js";
import { decide, throttle } from "./situation.js";

const FAILURES = ALL_CODES.filter((code) => code !== status.OK);

describe("which codes are retried", () => {
  const rows: [isIdempotent: boolean, processed: Processed, isRetried: boolean][] = [
    [true, "no", true],
    [true, "maybe", true],
    [true, "yes", true],
    [false, "no", true],
    [false, "maybe", false],
    [false, "yes", false],
  ];

  function retriedCodes(
    retryableCodes: readonly number[],
    isIdempotent: boolean,
    processed: Processed,
  ): number[] {
    return ALL_CODES.filter((code) => {
      const decision = decide({
        policy: { retryableCodes },
        progress: { isIdempotent },
        outcome: { code, processed },
      });
      return decision.kind === "retry";
    });
  }

  it.each(rows)(
    "R162: idempotent %j and processed %j: of 17 codes, UNAVAILABLE alone is retried: %j",
    (...row) => {
      const [isIdempotent, processed, isRetried] = row;

      const codes = retriedCodes([status.UNAVAILABLE], isIdempotent, processed);

      expect(codes).toEqual(isRetried ? [14] : []);
    },
  );

  it.each(rows)("R25: idempotent %j and processed %j: all listed codes but OK are retried: %j", (...row) => {
    const [isIdempotent, processed, isRetried] = row;

    const codes = retriedCodes(ALL_CODES, isIdempotent, processed);

    expect(codes).toEqual(isRetried ? FAILURES : []);
  });

  it.each(FAILURES)("R162: says which code was not retried (%i)", (code) => {
    const decision = decide({ policy: { retryableCodes: [] }, outcome: { code } });

    expect(decision).toEqual({
      kind: "deliver",
      why: `not retried: ${status[code]} is not a retryable code`,
      isThrottled: false,
    });
  });
});

describe("what keeps a call from being retried", () => {
  it("R22: protects a method not declared idempotent once the server may have run it", () => {
    const decision = decide({ progress: { isIdempotent: false } });

    expect(decision).toEqual({
      kind: "deliver",
      why: "not retried: the method is not declared idempotent and the server may have run it",
      isThrottled: false,
    });
  });

  it("R14: delivers a failure after response headers, whatever its code", () => {
    const decision = decide({ progress: { isCommitted: true } });

    expect(decision.kind).toBe("deliver");
    expect(decision.why).toBe("not retried: the response had begun, which commits the call to this attempt");
  });

  it("R15: delivers a failure when the request no longer fits the buffer", () => {
    const decision = decide({ progress: { isReplayable: false } });

    expect(decision.kind).toBe("deliver");
    expect(decision.why).toBe("not retried: the request is no longer in the retry buffer");
  });

  it("R21: never repeats a call the load balancer dropped", () => {
    const decision = decide({ outcome: { progress: "dropped", processed: "no" } });

    expect(decision.kind).toBe("deliver");
    expect(decision.why).toBe("not retried: the load-balancing policy dropped the call");
  });

  it("C26: counts the first attempt in maxAttempts", () => {
    expect(decide({ progress: { countedAttempts: 2 } }).kind).toBe("retry");
    expect(decide({ progress: { countedAttempts: 3 } })).toEqual({
      kind: "deliver",
      why: "not retried: 3 of 3 attempts used",
      isThrottled: false,
    });
  });

  it.each<[Reason, string]>([
    ["CANCELLED", "the call was cancelled"],
    ["DEADLINE_EXCEEDED", "the deadline of the call passed"],
    ["CLIENT_CLOSED", "the client was closed"],
    ["MESSAGE_TOO_LARGE", "the message would be too large again"],
    ["METADATA_INVALID", "the metadata would be refused again"],
  ])("R20: ends a call for good on %s, even unsent and with every code listed", (reason, why) => {
    for (const failedAt of ["unsent", "refused", "sent", "no-pick"] as const) {
      const decision = decide({
        policy: { retryableCodes: FAILURES },
        outcome: { reason, progress: failedAt, processed: "no", origin: "local" },
      });

      expect(decision).toEqual({ kind: "deliver", why: `not retried: ${why}`, isThrottled: false });
    }
  });

  it("C36: retries a DEADLINE_EXCEEDED of the server's when it is listed", () => {
    const decision = decide({
      policy: { retryableCodes: [status.DEADLINE_EXCEEDED] },
      outcome: { code: status.DEADLINE_EXCEEDED, reason: "REMOTE" },
    });

    expect(decision.kind).toBe("retry");
  });
});

describe("our own attempt timeout", () => {
  const timeout = { code: status.DEADLINE_EXCEEDED, reason: "ATTEMPT_TIMEOUT", origin: "local" } as const;

  it("R162: is retried on an idempotent method without being listed", () => {
    expect(decide({ outcome: timeout }).kind).toBe("retry");
  });

  it("R162: is retried on another method only when its code is listed and the server proved not to have run it", () => {
    const situation = {
      progress: { isIdempotent: false },
      outcome: { ...timeout, processed: "no" },
    } as const;

    expect(decide(situation)).toEqual({
      kind: "deliver",
      why: "not retried: the method is not declared idempotent",
      isThrottled: false,
    });
    expect(decide({ ...situation, policy: { retryableCodes: [timeout.code] } }).kind).toBe("retry");
  });

  it("R162: is not retried on any other method", () => {
    const decision = decide({ progress: { isIdempotent: false }, outcome: timeout });

    expect(decision).toEqual({
      kind: "deliver",
      why: "not retried: the method is not declared idempotent and the server may have run it",
      isThrottled: false,
    });
  });
});

describe("transparent retries", () => {
  const unsent = { progress: "unsent", processed: "no" } as const;
  const refused = { progress: "refused", processed: "no" } as const;

  it("R21: repeats what never left the client, without limit, policy, idempotency or tokens", () => {
    const bucket = throttle(2);
    bucket.recordFailure();

    const decision = decide({
      policy: { maxAttempts: 1, retryableCodes: [] },
      progress: { isIdempotent: false, countedAttempts: 9, transparentRetries: { refused: 9 } },
      outcome: unsent,
      throttle: bucket,
    });

    expect(decision).toEqual({
      kind: "transparent",
      why: "retried at once: the attempt never left the client",
    });
    expect(bucket.tokens).toBe(1);
  });

  it("R21: repeats the first refused stream of a call for nothing", () => {
    const bucket = throttle();

    const decision = decide({
      policy: { maxAttempts: 1, retryableCodes: [] },
      progress: { isIdempotent: false },
      outcome: refused,
      throttle: bucket,
    });

    expect(decision).toEqual({
      kind: "transparent",
      why: "retried at once: the stream was refused before it reached the application",
    });
    expect(bucket.tokens).toBe(20);
  });

  it("R21: leaves the second refused stream to the policy, which retries it on any method", () => {
    const bucket = throttle();
    const again = { isIdempotent: false, transparentRetries: { refused: 1 } };

    const decision = decide({ progress: again, outcome: refused, throttle: bucket });

    expect(decision.kind).toBe("retry");
    expect(bucket.tokens).toBe(19);
    expect(decide({ policy: { maxAttempts: 1 }, progress: again, outcome: refused }).kind).toBe("deliver");
  });

  it.each([unsent, refused])("R15: are not made of a request that is no longer buffered (%j)", (failure) => {
    const decision = decide({ progress: { isReplayable: false }, outcome: failure });

    expect(decision.kind).toBe("deliver");
  });

  it.each<Reason>(["NO_READY_ENDPOINT", "DIAL_FAILED"])(
    "R21: are not made of a failed pick; %s follows the policy by its code",
    (reason) => {
      const noPick = { progress: "no-pick", processed: "no", origin: "local", reason } as const;

      expect(decide({ progress: { isIdempotent: false }, outcome: noPick }).kind).toBe("retry");
      expect(decide({ policy: { retryableCodes: [] }, outcome: noPick }).kind).toBe("deliver");
    },
  );
});
