import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { AttemptTrail } from "../../src/call/attempt-trail.js";
import type { AttemptRecord, Processed, Reason } from "../../src/core/index.js";
import { outcome } from "../retry/outcomes.js";

function record(changes: Partial<AttemptRecord> = {}): AttemptRecord {
  return {
    attempt: 1,
    endpoint: "10.0.0.1:1",
    startedMs: 0,
    ms: 5,
    code: status.UNAVAILABLE,
    reason: "CONNECTION_LOST",
    origin: "local",
    processed: "maybe",
    details: "Connection dropped",
    next: "retried after 100 ms",
    ...changes,
  };
}

function trailOf(...records: Partial<AttemptRecord>[]): AttemptTrail {
  const trail = new AttemptTrail();
  for (const changes of records) trail.add(record(changes));
  return trail;
}

const LOST = outcome({ reason: "CONNECTION_LOST", origin: "local", details: "Connection dropped" });

describe("the sentence about a call", () => {
  it("tells code, attempts, endpoints, time, last failure, why it ended, and whether it ran", () => {
    const trail = trailOf(
      { endpoint: "10.0.0.1:1" },
      { attempt: 2, endpoint: "10.0.0.2:1", next: "not retried: 2 of 2 attempts used" },
    );

    expect(trail.explain("kv.KV/Get", LOST, 1_234.6)).toBe(
      "kv.KV/Get: UNAVAILABLE after 2 attempts on 10.0.0.1:1, 10.0.0.2:1 in 1235 ms: Connection dropped; " +
        "not retried: 2 of 2 attempts used; the server may have run it",
    );
  });

  it("of a call that was never sent says so", () => {
    const never = outcome({ code: status.CANCELLED, processed: "no", details: "The channel is closed" });

    expect(trailOf().explain("kv.KV/Get", never, 0)).toBe(
      "kv.KV/Get: CANCELLED after 0 attempts in 0 ms: The channel is closed; the server did not run it",
    );
  });

  it("counts one attempt as one, and names an endpoint once", () => {
    expect(trailOf({}).explain("m", LOST, 1)).toContain("after 1 attempt on 10.0.0.1:1 in");
    expect(trailOf({}, {}).explain("m", LOST, 1)).toContain("after 2 attempts on 10.0.0.1:1 in");
  });

  it("leaves out endpoints where none could be picked, and names five at most", () => {
    const many = Array.from({ length: 7 }, (_, index) => ({ endpoint: `10.0.0.${index}:1` }));

    expect(trailOf({ endpoint: null }).explain("m", LOST, 1)).not.toContain(" on ");
    expect(trailOf(...many).explain("m", LOST, 1)).not.toContain("10.0.0.5:1");
  });

  it("does not say twice that the server may have run it", () => {
    const next = "not retried: the method is not declared idempotent and the server may have run it";

    const sentence = trailOf({ next }).explain("m", LOST, 1);

    expect(sentence.match(/the server may have run it/g)).toHaveLength(1);
  });

  it.each<[Processed, string]>([
    ["no", "the server did not run it"],
    ["maybe", "the server may have run it"],
    ["yes", "the server ran it"],
  ])("ends with the certainty: %s", (processed, expected) => {
    expect(trailOf().explain("m", outcome({ processed }), 1)).toMatch(new RegExp(`; ${expected}$`));
  });
});

describe("whether any attempt may have run", () => {
  it.each<[Processed[], Processed, Processed]>([
    [[], "no", "no"],
    [["no", "no"], "no", "no"],
    [["maybe"], "no", "maybe"],
    [["no"], "maybe", "maybe"],
    [["maybe", "yes"], "no", "yes"],
  ])("after %j and a last %s it is %s", (earlier, last, expected) => {
    expect(trailOf(...earlier.map((processed) => ({ processed }))).processed(last)).toBe(expected);
  });
});

describe("the reason of a call", () => {
  it("of a single failure of our own stays what it is", () => {
    expect(trailOf({}).reason(LOST, false)).toBe("CONNECTION_LOST");
  });

  it("of a last failure of our own after a retry is RETRIES_EXHAUSTED", () => {
    expect(trailOf({}, {}).reason(LOST, false)).toBe("RETRIES_EXHAUSTED");
  });

  it("is THROTTLED when only the throttle stood in the way of a first retry", () => {
    expect(trailOf({}).reason(LOST, true)).toBe("THROTTLED");
  });

  it.each<Reason>([
    "REMOTE",
    "DEADLINE_EXCEEDED",
    "CANCELLED",
    "CLIENT_CLOSED",
    "MESSAGE_TOO_LARGE",
    "METADATA_INVALID",
    "NO_READY_ENDPOINT",
  ])("%s stays what it is after any number of retries, throttled or not", (reason) => {
    expect(trailOf({}, {}, {}).reason(outcome({ reason }), true)).toBe(reason);
  });
});

it("counts the attempts after the first as retries", () => {
  expect([trailOf().retries, trailOf({}).retries, trailOf({}, {}).retries]).toEqual([0, 0, 1]);
});
