import { describe, expect, it } from "vitest";
import type { ConnectivityWord } from "../../src/core/index.js";
import { explainMiss, type PickFailure, pickFailure, whatIsMissing } from "../../src/pool/pick-failure.js";
import type { Subchannel } from "../../src/pool/subchannel.js";

interface Facts {
  readonly address?: string;
  readonly aggregateState?: ConnectivityWord;
  readonly health?: string;
  readonly isOpen?: boolean;
  readonly retryAt?: number | null;
  readonly lastError?: { readonly text: string; readonly at: number };
  readonly inFlight?: number;
}

const NOW = 1_000;

/** What these functions read of an endpoint. */
function endpoint(state: ConnectivityWord, facts: Facts = {}): Subchannel {
  const { address = "a:1", isOpen = false, retryAt = null, lastError = null, inFlight = 0 } = facts;
  return {
    endpoint: { address },
    state,
    aggregateState: facts.aggregateState ?? state,
    free: () => (state === "READY" && inFlight < 100 ? {} : null),
    standing: {
      admits: () => !isOpen,
      tally: { isEjected: false },
      obstacle: () => ({ why: "a probe is under way", retryAt }),
    },
    trouble: facts.health,
    lastError,
  } as unknown as Subchannel;
}

const clock = { now: () => NOW, epoch: () => 50_000, setTimer: () => ({ cancel() {} }) };

function explain(endpoints: Subchannel[], unknownSet: PickFailure | null = null) {
  return explainMiss("static:///x", endpoints, unknownSet, "/test.Echo/Say", clock);
}

const REFUSED = { text: "connect ECONNREFUSED", at: 5 };
const unknownSet = pickFailure("DISCOVERY_FAILED", "no answer from DNS");

describe("C19: a pick that found nothing", () => {
  it.each<[string, Subchannel[]]>([
    ["no set is known yet", []],
    ["a ready endpoint has all its streams in use", [endpoint("READY", { inFlight: 100 })]],
  ])("waits while %s", (_what, endpoints) => {
    expect(explain(endpoints)).toBe("queue");
  });

  it("fails with the last concrete error when every dial failed (R111)", () => {
    const endpoints = [
      endpoint("TRANSIENT_FAILURE", { address: "a:1", lastError: REFUSED }),
      endpoint("TRANSIENT_FAILURE", { address: "b:1", lastError: { text: "no SETTINGS arrived", at: 9 } }),
    ];

    expect(explain(endpoints)).toEqual(
      pickFailure(
        "DIAL_FAILED",
        "static:///x: none of 2 endpoints is connected; last error: b:1: no SETTINGS arrived",
      ),
    );
  });

  it("does not wait for a redial of an endpoint that has failed", () => {
    const endpoints = [endpoint("CONNECTING", { aggregateState: "TRANSIENT_FAILURE", lastError: REFUSED })];

    expect(explain(endpoints)).toEqual(
      pickFailure(
        "DIAL_FAILED",
        "static:///x: its endpoint is not connected; last error: a:1: connect ECONNREFUSED",
      ),
    );
  });

  it("R104: fails when every ready endpoint has an open breaker, and says when the next probe goes", () => {
    const endpoints = [
      endpoint("READY", { address: "a:1", isOpen: true, retryAt: NOW + 700 }),
      endpoint("READY", { address: "b:1", isOpen: true, retryAt: NOW + 300 }),
    ];

    expect(explain(endpoints)).toEqual({
      ...pickFailure(
        "CIRCUIT_OPEN",
        "static:///x: the circuit breaker is open for a:1, b:1; next probe in 300 ms",
      ),
      retryAt: 50_300,
    });
  });

  it("says so when the probe is already under way", () => {
    expect(explain([endpoint("READY", { isOpen: true })])).toMatchObject({
      reason: "CIRCUIT_OPEN",
      details: expect.stringContaining("a probe is under way"),
    });
  });

  it("fails with what the endpoints say of their health when none is healthy", () => {
    const endpoints = [endpoint("READY", { aggregateState: "TRANSIENT_FAILURE", health: "NOT_SERVING" })];

    expect(explain(endpoints)).toEqual(
      pickFailure("NO_READY_ENDPOINT", "static:///x: no endpoint is healthy: a:1 says NOT_SERVING"),
    );
  });

  it("fails with the resolver's reason when there is no set and none is coming", () => {
    expect(explain([], unknownSet)).toBe(unknownSet);
  });

  it("names three endpoints at most, however many there are", () => {
    const endpoints = ["a:1", "b:1", "c:1", "d:1"].map((address) =>
      endpoint("READY", { address, isOpen: true }),
    );

    expect(JSON.stringify(explain(endpoints))).not.toContain("d:1");
  });
});

describe("what a queued call waits for", () => {
  it("counts endpoints by state and names the last error", () => {
    const endpoints = [
      endpoint("CONNECTING"),
      endpoint("CONNECTING", { address: "b:1" }),
      endpoint("TRANSIENT_FAILURE", { address: "c:1", lastError: REFUSED }),
    ];

    expect(whatIsMissing(endpoints, 100)).toBe(
      "3 endpoints: 2 CONNECTING, 1 TRANSIENT_FAILURE; last error: c:1: connect ECONNREFUSED",
    );
  });

  it("says when the stream limit is what holds it up", () => {
    expect(whatIsMissing([endpoint("READY", { inFlight: 100 })], 100)).toMatch(
      /^1 endpoints?: 1 at the limit of 100 streams$/,
    );
  });

  it("C18: names the newest error of several", () => {
    const endpoints = [
      endpoint("TRANSIENT_FAILURE", { address: "a:1", lastError: { text: "old", at: 5 } }),
      endpoint("TRANSIENT_FAILURE", { address: "b:1", lastError: { text: "new", at: 9 } }),
    ];

    expect(whatIsMissing(endpoints, 100)).toContain("b:1: new");
  });

  it("does not blame an error that a ready endpoint has long got over", () => {
    const endpoints = [endpoint("READY", { inFlight: 100, lastError: REFUSED })];

    expect(whatIsMissing(endpoints, 100)).not.toContain("ECONNREFUSED");
  });

  it("says when no endpoint is known", () => {
    expect(whatIsMissing([], 100)).toBe("no endpoints are known");
  });
});
