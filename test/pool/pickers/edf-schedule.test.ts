import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EdfSchedule } from "../../../src/pool/pickers/edf-schedule.js";

const period = fc.double({ min: 0.01, max: 100, noNaN: true });
const entry = fc.record({ period, next: period, phase: fc.double({ min: 0, max: 1, noNaN: true }) });
const step = fc.constantFrom("take", "take", "passOver", "passOver", "giveUp", "setPeriods");

describe("earliest deadline first", () => {
  it("always offers who has waited longest for his time, of those not passed over (R123)", () => {
    fc.assert(
      fc.property(
        fc.array(entry, { minLength: 1, maxLength: 12 }),
        fc.array(step, { maxLength: 200 }),
        (entries, steps) => {
          let periods = Float64Array.from(entries, (one) => one.period);
          let others = Float64Array.from(entries, (one) => one.next);
          const schedule = new EdfSchedule(
            periods,
            Float64Array.from(entries, (one) => one.phase),
          );
          const passed = new Set<number>();
          const wait = (index: number) => schedule.phase(index) * periods[index]!;

          for (const each of steps) {
            const offered = [...entries.keys()].filter((index) => !passed.has(index));
            const { next } = schedule;
            if (offered.length === 0) expect(next).toBe(-1);
            else {
              expect(offered).toContain(next);
              expect(wait(next)).toBeLessThanOrEqual(Math.min(...offered.map(wait)) + 1e-9);
            }
            if (each === "passOver" && next >= 0) {
              schedule.passOver();
              passed.add(next);
            } else if (each !== "take" || next >= 0) {
              if (each === "take") schedule.take();
              else schedule.giveUp();
              if (each === "setPeriods") {
                schedule.setPeriods(others);
                [periods, others] = [others, periods];
              }
              passed.clear();
            }
          }
        },
      ),
    );
  });

  it("does not lose short periods in the sum of long ones", () => {
    const schedule = new EdfSchedule(Float64Array.of(1, 1, 1e17), Float64Array.of(0, 0, 0.5));
    schedule.passOver();
    schedule.passOver();
    schedule.take();

    const turns = Array.from({ length: 100 }, () => {
      const { next } = schedule;
      schedule.take();
      return next;
    });

    expect([0, 1, 2].map((index) => turns.filter((turn) => turn === index).length)).toEqual([50, 50, 0]);
  });

  it("keeps the phases when periods change", () => {
    const schedule = new EdfSchedule(Float64Array.of(1, 2, 4), Float64Array.of(0.5, 0.25, 1));

    schedule.setPeriods(Float64Array.of(10, 1, 1));

    expect([0, 1, 2].map((index) => schedule.phase(index))).toEqual([0.5, 0.25, 1]);
    expect(schedule.next).toBe(1);
  });
});
