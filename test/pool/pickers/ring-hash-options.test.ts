import { describe, expect, it } from "vitest";
import { parseOptions } from "../../../src/core/index.js";
import { ringHashOptionsSchema } from "../../../src/pool/pickers/ring-hash-options.js";
import { configErrorOf } from "../../support/config-error.js";

const parse = (input: unknown) => parseOptions(ringHashOptionsSchema, input, "ringHash");

describe("options of ring_hash", () => {
  it("are gRPC's where nothing is said (R127)", () => {
    expect(parse({})).toEqual({
      minRingSize: 1_024,
      maxRingSize: 4_096,
      ringSizeCap: 4_096,
      requestHashHeader: null,
      boundedLoadFactor: null,
    });
  });

  it.each([
    [{ maxRingSize: 8_388_609 }, "maxRingSize is 8388609; allowed: 8388608 or less"],
    [{ minRingSize: 0 }, "minRingSize is 0; allowed: 1 or more"],
    [{ minRingSize: 5_000 }, "minRingSize is 5000; allowed: maxRingSize (4096) or less"],
    [{ maxRingSize: 512 }, "minRingSize is 1024; allowed: maxRingSize (512) or less"],
  ])("refuse ring sizes that cannot be: %j (R127)", (input, problem) => {
    expect(configErrorOf(() => parse(input)).details).toBe(`ringHash: 1 problem: ${problem}`);
  });

  it.each(["x-trace-bin", "X-User", "x user", "", ":path"])(
    "refuse the header name %j, which gRPC could not send as text (R132)",
    (requestHashHeader) => {
      const { details } = configErrorOf(() => parse({ requestHashHeader }));

      expect(details).toContain(
        `requestHashHeader is ${JSON.stringify(requestHashHeader)}: allowed: lower-case`,
      );
    },
  );

  it.each([1, 0, -2, Number.NaN])(
    "refuse a bound of %d, under which calls would find no place (R134)",
    (factor) => {
      const { details } = configErrorOf(() => parse({ boundedLoadFactor: factor }));

      expect(details).toContain(`boundedLoadFactor is ${factor}; allowed: `);
    },
  );

  it("tell all problems at once, those between two fields too", () => {
    const { details } = configErrorOf(() =>
      parse({ minRingSize: 10, maxRingSize: 5, boundedLoadFactor: 1, ringSize: 7 }),
    );

    expect(details).toMatch(/^ringHash: 3 problems: /);
  });
});
