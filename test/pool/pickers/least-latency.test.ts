import { describe, expect, it } from "vitest";
import { LatencyEstimate } from "../../../src/pool/latency-estimate.js";
import { leastLatency } from "../../../src/pool/pickers/least-latency.js";
import { ManualClock } from "../../support/manual-clock.js";
import { ANY, CALL, callAt, FakeCandidate, fakeCandidates, pickerInput } from "./fake-candidate.js";

interface Known {
  readonly latency: number;
  readonly inFlight: number;
}

function pair(a: Known, b: Known): [FakeCandidate, FakeCandidate] {
  const [first, second] = fakeCandidates(2) as [FakeCandidate, FakeCandidate];
  return [Object.assign(first, a), Object.assign(second, b)];
}

/** Picks in which both were drawn: who was drawn first, and who was taken. */
function contests(candidates: readonly FakeCandidate[]) {
  const picker = leastLatency.create(pickerInput(candidates));
  const rounds = Array.from({ length: 60 }, () => {
    const drawn: FakeCandidate[] = [];
    const picked = picker.pick({ accepts: (candidate) => drawn.push(candidate) > 0 }, CALL);
    return { drawn, picked };
  });
  return rounds.filter(({ drawn: [a, b] }) => a !== b);
}

/** An endpoint whose latency fades like a real one's. */
class MeasuredCandidate extends FakeCandidate {
  readonly estimate = new LatencyEstimate();
  override latencyMs(now = 0): number {
    return this.estimate.read(now);
  }
}

describe("least_latency", () => {
  it.each<[string, Known, Known]>([
    ["the faster one", { latency: 10, inFlight: 0 }, { latency: 20, inFlight: 0 }],
    [
      "the slower one when calls wait at the faster",
      { latency: 20, inFlight: 0 },
      { latency: 10, inFlight: 2 },
    ],
    [
      "the faster one while its queue is shorter in time",
      { latency: 10, inFlight: 2 },
      { latency: 50, inFlight: 0 },
    ],
    ["one that nobody has measured", { latency: -1, inFlight: 0 }, { latency: 0.1, inFlight: 0 }],
    [
      "the measured one while the first answer is out",
      { latency: 9_999, inFlight: 50 },
      { latency: -1, inFlight: 1 },
    ],
    ["of two without an answer the less busy", { latency: -1, inFlight: 1 }, { latency: -1, inFlight: 2 }],
    [
      "the less busy when both have faded away",
      { latency: 1e-9, inFlight: 1 },
      { latency: 1e-12, inFlight: 2 },
    ],
  ])("takes %s (R137)", (_, better, worse) => {
    for (const candidates of [pair(better, worse), pair(worse, better).reverse()]) {
      const found = contests(candidates);

      expect(found.length).toBeGreaterThan(10);
      for (const { picked } of found) expect(picked).toBe(candidates[0]);
    }
  });

  it("takes the first drawn of two that cost the same", () => {
    const known = { latency: 10, inFlight: 1 };

    for (const { drawn, picked } of contests(pair(known, known))) expect(picked).toBe(drawn[0]);
  });

  it("gives an endpoint that is new one call, and no second one before the answer (R137)", () => {
    const candidates = fakeCandidates(10);
    const fresh = candidates[4]!;
    for (const candidate of candidates) if (candidate !== fresh) candidate.latency = 5;
    const picker = leastLatency.create(pickerInput(candidates));

    for (let call = 0; call < 200; call++) if (picker.pick(ANY, CALL) === fresh) fresh.inFlight = 1;
    expect(fresh.inFlight).toBe(1);

    Object.assign(fresh, { latency: 5, inFlight: 0 });
    const later = Array.from({ length: 1_000 }, () => picker.pick(ANY, CALL));
    expect(later.filter((picked) => picked === fresh).length).toBeGreaterThan(50);
  });

  it("spreads the first burst over all endpoints when none is measured (R137)", () => {
    const candidates = fakeCandidates(5);
    const picker = leastLatency.create(pickerInput(candidates));

    for (let call = 0; call < 500; call++) picker.pick(ANY, CALL)!.inFlight++;

    for (const { inFlight } of candidates) expect(inFlight).toBeGreaterThan(80);
  });

  it("tries an endpoint that was slow again, once what is known of it is old (R137)", async () => {
    const clock = new ManualClock();
    const slow = new MeasuredCandidate("10.0.0.1:1");
    const fast = new MeasuredCandidate("10.0.0.2:1");
    slow.estimate.record(1_000, clock.now());
    const picker = leastLatency.create(pickerInput([slow, fast]));
    const slowShare = () => {
      fast.estimate.record(10, clock.now());
      return (
        Array.from({ length: 400 }, () => picker.pick(ANY, callAt(clock))).filter((one) => one === slow)
          .length / 400
      );
    };

    // Only where both draws meet it.
    expect(slowShare()).toBeLessThan(0.35);
    await clock.advance(60_000);

    expect(slowShare()).toBeGreaterThan(0.65);
  });
});
