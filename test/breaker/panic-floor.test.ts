import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PanicFloor } from "../../src/breaker/panic-floor.js";

describe("the panic floor", () => {
  it.each([
    [50, 0, 0],
    [50, 1, 1],
    [50, 2, 1],
    [50, 3, 1],
    [50, 4, 2],
    [50, 5, 2],
    [10, 9, 1],
    [10, 20, 2],
    [100, 7, 7],
    [1, 1, 1],
    [29, 100, 29],
    [0, 1, 0],
    [0, 100, 0],
  ])("at %i percent of %i endpoints lets %i be out", (percent, total, maxOut) => {
    const floor = new PanicFloor(percent);

    expect(floor.maxOut(total)).toBe(maxOut);
  });

  it("lets a target of one endpoint open fully", () => {
    const floor = new PanicFloor(50);

    expect(floor.allows(1, 0)).toBe(true);
    expect(floor.allows(1, 1)).toBe(false);
  });

  it("allows one more until the limit is reached, and none beyond it", () => {
    const floor = new PanicFloor(50);

    expect([0, 1, 2, 3, 4].map((out) => floor.allows(4, out))).toEqual([true, true, false, false, false]);
  });

  it("never lets more than the percentage be out, save for the first endpoint", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 2_000 }), (percent, total) => {
        const floor = new PanicFloor(percent);
        let out = 0;

        while (floor.allows(total, out)) out += 1;

        expect(out).toBe(floor.maxOut(total));
        expect(out).toBeGreaterThanOrEqual(1);
        expect(out).toBeLessThanOrEqual(Math.max(1, (total * percent) / 100));
      }),
    );
  });
});
