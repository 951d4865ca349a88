import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ringHash } from "../../../src/pool/pickers/ring-hash.js";
import { ringHashOptionsSchema } from "../../../src/pool/pickers/ring-hash-options.js";
import { ANY, allBut, type FakeCandidate, fakeCandidates, pickCall, pickerInput } from "./fake-candidate.js";

function bounded(candidates: readonly FakeCandidate[], boundedLoadFactor: number) {
  const policy = ringHash(ringHashOptionsSchema.parse({ boundedLoadFactor }));
  return policy.create(pickerInput(candidates));
}

/** What the rule allows an endpoint, before one call more is sent to any. */
function boundOf(one: FakeCandidate, usable: readonly FakeCandidate[], factor: number): number {
  const calls = usable.reduce((sum, { inFlight }) => sum + inFlight, 0);
  const weights = usable.reduce((sum, { endpoint }) => sum + (endpoint.weight ?? 1), 0);
  return Math.ceil(factor * (calls + 1) * ((one.endpoint.weight ?? 1) / weights));
}

type Step = { what: "call" | "end" | "flip" | "refuse"; at: number };

const steps = fc.array(
  fc.record<Step>({
    what: fc.constantFrom("call", "call", "call", "call", "end", "end", "flip", "refuse"),
    at: fc.nat(1_000),
  }),
  { maxLength: 120 },
);
const weights = fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 20 });
const factors = fc.double({ min: 1.01, max: 3, noNaN: true });

describe("bounded load", () => {
  it("never sends a call to an endpoint that is at its bound, and always finds one that is not (R134)", () => {
    fc.assert(
      fc.property(weights, factors, steps, (weightList, factor, sequence) => {
        const candidates = fakeCandidates(weightList);
        const one = bounded(candidates, factor);
        const refused = new Set<FakeCandidate>();

        for (const { what, at } of sequence) {
          const target = candidates[at % candidates.length]!;
          if (what === "end") target.inFlight = Math.max(0, target.inFlight - 1);
          else if (what === "flip") target.state = target.state === "READY" ? "TRANSIENT_FAILURE" : "READY";
          else if (what === "refuse" && !refused.delete(target)) refused.add(target);
          if (what !== "call") continue;
          const usable = candidates.filter((each) => each.state === "READY" && !refused.has(each));
          // A few keys, so that their endpoints are in demand.
          const picked = one.pick(allBut(...refused), pickCall(at % 4 === 0 ? null : `key-${at % 4}`));
          if (usable.length === 0) {
            expect(picked).toBeNull();
            continue;
          }
          expect(usable).toContain(picked);
          expect(picked!.inFlight + 1).toBeLessThanOrEqual(boundOf(picked!, usable, factor));
          picked!.inFlight++;
        }
      }),
      { numRuns: 300 },
    );
  });

  it("leaves a key at its endpoint while there is room, and then goes on along the ring (R134)", () => {
    const candidates = fakeCandidates(4);
    const one = bounded(candidates, 2);
    const [home, next] = [ANY, allBut(one.pick(ANY, pickCall("hot"))!)].map(
      (filter) => one.pick(filter, pickCall("hot"))!,
    );

    home!.inFlight = 1;
    expect(one.pick(ANY, pickCall("hot"))).toBe(next);
    // Seven calls in all, of which a home of one in four may have 2 * 8 / 4.
    for (const other of candidates) other.inFlight = 2;
    home!.inFlight = 1;
    expect(one.pick(ANY, pickCall("hot"))).toBe(home);
  });

  it("connects one endpoint more where those along the way are at their bounds (R134)", () => {
    const candidates = fakeCandidates(3);
    const one = bounded(candidates, 1.25);
    const walk: FakeCandidate[] = [];
    for (let at = 0; at < 3; at++) walk.push(one.pick(allBut(...walk), pickCall("hot"))!);
    walk[1]!.state = "IDLE";
    walk[0]!.inFlight = 5;

    expect(one.pick(ANY, pickCall("hot"))).toBe(walk[1]);
  });

  it("spreads one hot key over hundreds of endpoints, though it does not count all calls for every pick (R134)", () => {
    const candidates = fakeCandidates(300);
    const one = bounded(candidates, 1.25);

    for (let call = 0; call < 1_500; call++) one.pick(ANY, pickCall("hot"))!.inFlight++;

    expect(Math.max(...candidates.map(({ inFlight }) => inFlight))).toBeLessThanOrEqual(
      Math.ceil((1.25 * 1_500) / 300),
    );
  });

  it.each([
    ["10 ms have passed", 0, 10],
    ["one pick per 64 endpoints was made", Math.floor(300 / 64), 0],
  ])("with hundreds of endpoints, notices calls that ended once %s (R134)", (_, morePicks, laterMs) => {
    const candidates = fakeCandidates(300);
    const one = bounded(candidates, 1.25);
    const home = one.pick(ANY, pickCall("hot"))!;
    for (const candidate of candidates) candidate.inFlight = 10;
    home.inFlight = 5;
    expect(one.pick(ANY, pickCall("hot"))).toBe(home);
    for (const candidate of candidates) candidate.inFlight = candidate === home ? 5 : 0;

    for (let pick = 0; pick < morePicks; pick++) one.pick(ANY, pickCall("hot"));

    const later = pickCall("hot", {}, pickCall().now + laterMs);
    expect(one.pick(ANY, later)).not.toBe(home);
  });

  it("finds an endpoint though the calls it counted last were fewer (R134)", () => {
    const candidates = fakeCandidates(300);
    const one = bounded(candidates, 1.25);
    const home = one.pick(ANY, pickCall("hot"))!;
    home.inFlight = 1;
    one.pick(ANY, pickCall("hot"));
    for (const candidate of candidates) candidate.inFlight = 100;

    expect(candidates).toContain(one.pick(ANY, pickCall("hot")));
  });

  it("is off unless asked for", () => {
    const candidates = fakeCandidates(3);
    const one = ringHash(ringHashOptionsSchema.parse({})).create(pickerInput(candidates));
    const home = one.pick(ANY, pickCall("hot"))!;
    home.inFlight = 1_000;

    expect(one.pick(ANY, pickCall("hot"))).toBe(home);
  });
});
