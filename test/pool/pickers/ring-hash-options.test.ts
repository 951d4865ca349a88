import { describe, expect, it } from "vitest";
import { parseOptions } from "../../../src/core/index.js";
import {
  consistentHashOptionsSchema,
  ringHashOptionsSchema,
  ringSizeOf,
} from "../../../src/pool/pickers/ring-hash-options.js";
import { configErrorOf } from "../../support/config-error.js";

const parse = (input: unknown) => parseOptions(ringHashOptionsSchema, input, "ringHash");

describe("options of ring_hash", () => {
  it("are gRPC's where nothing is said (R127)", () => {
    const options = parse({});

    expect(options).toEqual({
      ringSizeCap: 4_096,
      entriesPerEndpoint: null,
      requestHashHeader: null,
      boundedLoadFactor: null,
    });
    expect(ringSizeOf(options)).toEqual({ min: 1_024, max: 4_096 });
  });

  it.each([
    [{ maxRingSize: 8_388_609 }, "maxRingSize is 8388609; allowed: 8388608 or less"],
    [{ minRingSize: 0 }, "minRingSize is 0; allowed: 1 or more"],
    [{ minRingSize: 5_000 }, "minRingSize is 5000: allowed: maxRingSize (4096) or less"],
    [{ minRingSize: 600, maxRingSize: 512 }, "minRingSize is 600: allowed: maxRingSize (512) or less"],
    [{ maxRingSize: 512 }, "maxRingSize is 512: allowed: minRingSize (1024) or more"],
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

  it.each([{ minRingSize: 1_024 }, { maxRingSize: 4_096 }, { minRingSize: 10, maxRingSize: 5 }])(
    "refuse entries per endpoint beside %j, of which only one can hold",
    (sizes) => {
      expect(configErrorOf(() => parse({ entriesPerEndpoint: 100, ...sizes })).details).toBe(
        "ringHash: 1 problem: entriesPerEndpoint is 100: stands beside minRingSize or maxRingSize; give one or the other",
      );
      expect(parse({ entriesPerEndpoint: null, minRingSize: 10 })).toMatchObject({ minRingSize: 10 });
    },
  );

  it.each([0, 1.5, 1_001])("refuse %d entries per endpoint", (entriesPerEndpoint) => {
    expect(configErrorOf(() => parse({ entriesPerEndpoint })).details).toContain("entriesPerEndpoint is ");
  });

  it("tell all problems at once, those between two fields too", () => {
    const { details } = configErrorOf(() =>
      parse({ minRingSize: 10, maxRingSize: 5, boundedLoadFactor: 1, ringSize: 7 }),
    );

    expect(details).toMatch(/^ringHash: 3 problems: /);
  });
});

describe("options of consistent_hash", () => {
  it("ask for 100 entries per endpoint, and know no ring sizes", () => {
    const options = parseOptions(consistentHashOptionsSchema, {}, "consistentHash");

    expect(options).toEqual({ entriesPerEndpoint: 100, requestHashHeader: null, boundedLoadFactor: null });
    expect(ringSizeOf(options)).toEqual({ perWeight: 100 });
    expect(() => parseOptions(consistentHashOptionsSchema, { minRingSize: 5 }, "consistentHash")).toThrow(
      "minRingSize is not a known key",
    );
  });
});
