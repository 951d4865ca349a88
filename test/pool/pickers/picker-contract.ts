import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { PickCall, Picker, PickerPolicy, PickFilter } from "../../../src/pool/pickers/picker.js";
import { ManualClock } from "../../support/manual-clock.js";
import { SeededRandom } from "../../support/seeded-random.js";
import {
  ANY,
  CALL,
  type FakeCandidate,
  fakeCandidates,
  NOBODY,
  pickCall,
  pickerInput,
} from "./fake-candidate.js";

/** What the suite has to know of a policy. */
export interface ContractOptions {
  /** Makes READY candidates, the first `count` of an endless row. Default: equal ones with distinct addresses. */
  readonly candidates?: (count: number) => FakeCandidate[];
  /** True when the policy promises that each endpoint gets calls sooner or later. Default true. */
  readonly usesAll?: boolean;
  /** The nth call, for policies that look at the call. Default: each with a hash key of its own. */
  readonly call?: (index: number) => PickCall;
}

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

/** The promises that every policy keeps, whatever it prefers. All candidates are READY. */
export function describePicker(name: string, policy: PickerPolicy, options: ContractOptions = {}): void {
  const make = options.candidates ?? fakeCandidates;
  const callAt = options.call ?? ((index: number) => pickCall(`key-${index}`));

  function start(candidates: readonly FakeCandidate[], seed: number): Picker<FakeCandidate> {
    return policy.create(pickerInput(candidates, { random: new SeededRandom(seed) }));
  }

  describe(`the contract of a policy: ${name}`, () => {
    it("answers an accepted endpoint of the set, and nothing only when none is accepted", () => {
      fc.assert(
        fc.property(
          seeds,
          fc.array(fc.array(fc.boolean(), { minLength: 1, maxLength: 40 })),
          (seed, rounds) => {
            const candidates = make(40);
            const picker = start(candidates, seed);

            for (const [index, mask] of rounds.entries()) {
              const accepted = new Set(candidates.filter((_, at) => mask[at % mask.length] === true));
              const picked = picker.pick({ accepts: (one) => accepted.has(one) }, callAt(index));
              if (accepted.size === 0) expect(picked).toBeNull();
              else expect(accepted.has(picked!)).toBe(true);
            }
          },
        ),
      );
    });

    it("finds the only accepted endpoint wherever it stands", () => {
      for (const size of [1, 2, 3, 17, 1_000]) {
        const candidates = make(size);
        const picker = start(candidates, size);
        for (const only of new Set([candidates[0]!, candidates[size >> 1]!, candidates[size - 1]!]))
          expect(picker.pick({ accepts: (one) => one === only }, CALL)).toBe(only);
      }
    });

    it.each([1, 3, 1_000])(
      "asks a filter that refuses all only so often, and recovers (%d endpoints)",
      (size) => {
        const candidates = make(size);
        const picker = start(candidates, 5);
        let asked = 0;
        const refusing: PickFilter = {
          accepts: () => {
            asked++;
            return false;
          },
        };

        expect(picker.pick(refusing, CALL)).toBeNull();
        expect(asked).toBeGreaterThanOrEqual(size);
        expect(asked).toBeLessThanOrEqual(2 * size + 16);
        for (let call = 0; call < 3; call++) expect(picker.pick(NOBODY, CALL)).toBeNull();
        expect(candidates).toContain(picker.pick(ANY, CALL));
      },
    );

    it("goes on after a filter that threw", () => {
      const candidates = make(5);
      const picker = start(candidates, 3);
      let asked = 0;
      const throwing: PickFilter = {
        accepts: () => {
          if (++asked > 2) throw new Error("the filter's own");
          return false;
        },
      };

      for (let call = 0; call < 10; call++) {
        asked = 0;
        expect(() => picker.pick(throwing, callAt(call))).toThrow("the filter's own");
      }

      for (const only of candidates) expect(picker.pick({ accepts: (one) => one === only }, CALL)).toBe(only);
    });

    it("sends every call to the only endpoint there is", () => {
      const [only] = make(1) as [FakeCandidate];
      const picker = start([only], 7);

      for (let index = 0; index < 20; index++) expect(picker.pick(ANY, callAt(index))).toBe(only);
    });

    it("answers only endpoints of the newest set, however the sets change", () => {
      fc.assert(
        fc.property(
          seeds,
          fc.array(fc.tuple(fc.uniqueArray(fc.nat(24), { minLength: 1 }), fc.nat(9)), { maxLength: 20 }),
          (seed, updates) => {
            const all = make(25);
            const clock = new ManualClock();
            const random = new SeededRandom(seed);
            let previous: Picker<FakeCandidate> | null = null;

            for (const [members, calls] of updates) {
              const candidates = members.map((index) => all[index]!);
              previous = policy.create({ candidates, previous, clock, random });
              for (let index = 0; index < calls; index++)
                expect(candidates).toContain(previous.pick(ANY, callAt(index)));
            }
          },
        ),
      );
    });

    it("takes over from a picker of another policy", () => {
      const candidates = make(4);
      const foreign: Picker<FakeCandidate> = { pick: () => null };

      const picker = policy.create(pickerInput(candidates, { previous: foreign }));

      expect(candidates).toContain(picker.pick(ANY, CALL));
    });

    it("makes the same picks from the same chance", () => {
      const run = (seed: number) => {
        const candidates = make(12);
        const picker = start(candidates, seed);
        return Array.from({ length: 60 }, (_, index) => candidates.indexOf(picker.pick(ANY, callAt(index))!));
      };

      fc.assert(
        fc.property(seeds, (seed) => {
          expect(run(seed)).toEqual(run(seed));
        }),
      );
    });

    if (options.usesAll === false) return;

    it("lets each endpoint have calls", () => {
      for (const size of [2, 7, 1_000]) {
        const candidates = make(size);
        const picker = start(candidates, size);
        const unused = new Set(candidates);

        for (let index = 0; unused.size > 0 && index < size * 60; index++)
          unused.delete(picker.pick(ANY, callAt(index))!);

        expect(unused.size).toBe(0);
      }
    });
  });
}
