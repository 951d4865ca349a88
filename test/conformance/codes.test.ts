import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { cancelled, classify, notSent } from "../../src/call/classify.js";
import { unavailable } from "../../src/call/own-outcomes.js";
import type { Outcome } from "../../src/core/index.js";
import { retryOptionsSchema } from "../../src/retry/index.js";
import { facts, LOST, made, QUEUED, SENT } from "../call/evidence.js";
import { ALL_CODES } from "../retry/outcomes.js";
import { decide, type Situation, throttle } from "../retry/situation.js";

const { CANCELLED, UNKNOWN, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, INTERNAL, UNAVAILABLE, UNAUTHENTICATED } =
  status;
const FAILURES = ALL_CODES.filter((code) => code !== status.OK);
const SERVERS = "application/grpc";

function said(code: status, details = "the server's own words"): Outcome {
  return classify(made(code, details, SERVERS), SENT);
}

function local(code: status, details: string, evidence: Partial<typeof SENT> = {}): Outcome {
  return classify(made(code, details), { ...SENT, ...evidence });
}

describe("a status of the server", () => {
  it.each(FAILURES)("of code %d reaches the caller as it is, and may have run (R163, C40)", (code) => {
    const { origin, reason, processed, progress, details } = said(code);

    expect(said(code).code).toBe(code);
    expect({ origin, reason, processed, progress, details }).toEqual({
      origin: "remote",
      reason: "REMOTE",
      processed: "maybe",
      progress: "sent",
      details: "the server's own words",
    });
  });

  it.each(FAILURES)("of code %d after a message is that of a call that ran (C40)", (code) => {
    expect(facts(code, "late", { hasHeaders: true, hasMessage: true })).toMatchObject({
      code,
      reason: "REMOTE",
      processed: "yes",
    });
  });
});

type Verdict = "no" | "yes" | "at once";
type Row = readonly [
  what: string,
  outcome: Outcome,
  plain: Verdict,
  idempotent: Verdict,
  whenListed: Verdict,
];

const timeout = { isAttemptLimited: true, isDeadlineDue: true };
const deadlineText = "Deadline exceeded after 1.000s";

/** For each way a code comes about: retried by default, the same if idempotent, and idempotent with all codes listed. */
const RETRY_TABLE: readonly Row[] = [
  ["1 of the application's cancel", cancelled(made(CANCELLED, ""), "CANCELLED", SENT), "no", "no", "no"],
  ["1 of a client that was closed", notSent(made(CANCELLED, ""), "CLIENT_CLOSED"), "no", "no", "no"],
  ["1 of the server", said(CANCELLED), "no", "no", "yes"],
  ["2 of the server", said(UNKNOWN), "no", "no", "yes"],
  [
    "4 of the call's deadline",
    local(DEADLINE_EXCEEDED, deadlineText, { isDeadlineDue: true }),
    "no",
    "no",
    "no",
  ],
  ["4 of the attempt's limit", local(DEADLINE_EXCEEDED, deadlineText, timeout), "no", "yes", "yes"],
  ["4 of the server", said(DEADLINE_EXCEEDED), "no", "no", "yes"],
  ["8 of the server", said(RESOURCE_EXHAUSTED), "no", "no", "yes"],
  [
    "8 of a large answer",
    local(RESOURCE_EXHAUSTED, "Received message larger than max (5 vs. 4)"),
    "no",
    "no",
    "no",
  ],
  ["8 of a large request", notSent(made(RESOURCE_EXHAUSTED, ""), "MESSAGE_TOO_LARGE"), "no", "no", "no"],
  ["13 of the server", said(INTERNAL), "no", "no", "yes"],
  ["13 of bad metadata", notSent(made(INTERNAL, ""), "METADATA_INVALID"), "no", "no", "no"],
  ["14 of the server", said(UNAVAILABLE), "no", "yes", "yes"],
  ["14 of a lost connection", local(UNAVAILABLE, "Connection dropped"), "no", "yes", "yes"],
  ["14 of a session that broke", local(INTERNAL, "Session closed with error code 2"), "no", "yes", "yes"],
  ["14 of a reset by its end", local(CANCELLED, "Call cancelled", LOST), "no", "yes", "yes"],
  ["14 of a refused stream", local(UNAVAILABLE, "Stream refused by server"), "at once", "at once", "at once"],
  [
    "14 of a stream never opened",
    local(UNAVAILABLE, "Connection dropped", QUEUED),
    "at once",
    "at once",
    "at once",
  ],
  ["14 of a failed dial", unavailable("connect ECONNREFUSED", "DIAL_FAILED"), "yes", "yes", "yes"],
  ["14 of no endpoint", unavailable("none is ready", "NO_READY_ENDPOINT"), "yes", "yes", "yes"],
  ["14 of an open breaker", unavailable("the breaker is open", "CIRCUIT_OPEN"), "no", "no", "no"],
  ["16 of the server", said(UNAUTHENTICATED), "no", "no", "yes"],
  [
    "16 of a token callback",
    local(UNAUTHENTICATED, "Getting metadata from plugin failed: x"),
    "no",
    "no",
    "no",
  ],
  ...[3, 5, 6, 7, 9, 10, 11, 12, 15].map(
    (code): Row => [`${code} of the server`, said(code), "no", "no", "yes"],
  ),
];

function verdict(outcome: Outcome, situation: Situation): Verdict {
  const { kind } = decide({ ...situation, outcome });
  return kind === "deliver" ? "no" : kind === "retry" ? "yes" : "at once";
}

describe("whether a failure is retried", () => {
  it.each(RETRY_TABLE)("%s (R162)", (_what, outcome, plain, idempotent, whenListed) => {
    const isIdempotent = false;

    expect({
      plain: verdict(outcome, { progress: { isIdempotent } }),
      plainListed: verdict(outcome, { progress: { isIdempotent }, policy: { retryableCodes: FAILURES } }),
      idempotent: verdict(outcome, {}),
      whenListed: verdict(outcome, { policy: { retryableCodes: FAILURES } }),
    }).toEqual({ plain, plainListed: plain, idempotent, whenListed });
  });

  it("is told for every code there is (R162)", () => {
    const codes = RETRY_TABLE.map(([what]) => Number.parseInt(what, 10));

    expect([...new Set(codes)].sort((a, b) => a - b)).toEqual(FAILURES);
  });

  it("of a refused stream is decided by the policy the second time, also where not idempotent (R162, R21)", () => {
    const progress = { isIdempotent: false, transparentRetries: { refused: 1 } };

    expect(verdict(local(UNAVAILABLE, "Stream refused by server"), { progress })).toBe("yes");
  });
});

describe("E43: the five codes that patient clients retry", () => {
  const patient = ["UNAVAILABLE", "DEADLINE_EXCEEDED", "RESOURCE_EXHAUSTED", "ABORTED", "INTERNAL"];
  const { retryableCodes } = retryOptionsSchema.parse({ retryableCodes: patient });
  const retried = (isIdempotent: boolean): status[] =>
    FAILURES.filter((code) => {
      const situation = { policy: { retryableCodes }, progress: { isIdempotent } };
      return verdict(said(code), situation) === "yes";
    });

  it("are retried on idempotent methods, and no others are", () => {
    expect(retried(true).map((code) => status[code])).toEqual([...patient].sort(byNumber));
  });

  it("are never retried on other methods once the server may have run the call", () => {
    expect(retried(false)).toEqual([]);
  });
});

function byNumber(a: string, b: string): number {
  return status[a as keyof typeof status] - status[b as keyof typeof status];
}

/** What stands in the way of a retry, each alone, in the order in which it is told. */
const OBSTACLES: readonly (readonly [why: string, situation: Situation])[] = [
  ["the response had begun", { progress: { isCommitted: true } }],
  ["no longer in the retry buffer", { progress: { isReplayable: false } }],
  ["the load-balancing policy dropped the call", { outcome: { progress: "dropped" } }],
  ["is not a retryable code", { policy: { retryableCodes: [] } }],
  ["not declared idempotent", { progress: { isIdempotent: false } }],
  ["pushback forbids it", { pushback: "-1" }],
  ["3 of 3 attempts used", { progress: { countedAttempts: 3 } }],
  ["the retry throttle is at", { throttle: throttle(2) }],
];

function both(a: Situation, b: Situation): Situation {
  return {
    ...a,
    ...b,
    policy: { ...a.policy, ...b.policy },
    progress: { ...a.progress, ...b.progress },
    outcome: { ...a.outcome, ...b.outcome },
  };
}

describe("the decision whether to retry", () => {
  const pairs = OBSTACLES.flatMap(([why, first], index) =>
    OBSTACLES.slice(index).map(([other, second]) => [why, other, both(first, second)] as const),
  );

  it.each(pairs)("C26: tells '%s' before '%s'", (why, _other, situation) => {
    const decision = decide(situation);

    expect(decision).toMatchObject({ kind: "deliver", why: expect.stringContaining(why) });
  });

  it("C26: is to retry where nothing stands in the way", () => {
    expect(decide().kind).toBe("retry");
  });

  it("makes no retry of any code without a policy, but still repeats what was never sent (R8)", () => {
    const policy = { maxAttempts: 1, retryableCodes: FAILURES };

    const kinds = FAILURES.map((code) => verdict(said(code), { policy }));

    expect(new Set(kinds)).toEqual(new Set(["no"]));
    expect(verdict(local(UNAVAILABLE, "Channel closed before call started", QUEUED), { policy })).toBe(
      "at once",
    );
  });
});
