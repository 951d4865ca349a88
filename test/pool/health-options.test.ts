import { describe, expect, it } from "vitest";
import { parseOptions } from "../../src/core/index.js";
import { healthDataSchema, healthOptionsSchema } from "../../src/pool/health-options.js";

const probe = () => true;

describe("the options of health checking", () => {
  it.each(["", "kv.v1.Store"])(
    "are complete with the service %j, which may be empty (R80)",
    (serviceName) => {
      expect(parseOptions(healthOptionsSchema, { serviceName }, "health")).toEqual({
        serviceName,
        intervalMs: 10_000,
        timeoutMs: 1_000,
        useWatch: true,
      });
    },
  );

  it("take a probe in place of a service, where there is code", () => {
    expect(parseOptions(healthOptionsSchema, { probe }, "health").probe).toBe(probe);
    expect(() => parseOptions(healthDataSchema, { serviceName: "", probe }, "health")).toThrow(
      "probe is not a known key",
    );
  });

  it.each([
    [{}, 'serviceName: is missing; allowed: a name, "" for the server as a whole, or a probe in its place'],
    [{ serviceName: "", probe }, 'serviceName is "": stands beside probe; give one of them'],
    [{ serviceName: "", intervalMs: 999 }, "intervalMs is 999; allowed: 1000 or more"],
    [{ serviceName: "", timeoutMs: 0 }, "timeoutMs is 0; allowed: 1 or more"],
    [{ serviceName: null }, "serviceName is null; allowed: a value of type string"],
    [{ probe: "yes" }, 'probe is "yes": allowed: a function'],
    [{ serviceName: "", useWatch: "no" }, 'useWatch is "no"; allowed: a value of type boolean'],
    [{ serviceNam: "" }, "serviceNam is not a known key (did you mean serviceName?)"],
  ])("refuse %j with key, value and what is allowed", (options, problem) => {
    expect(() => parseOptions(healthOptionsSchema, options, "health")).toThrow(problem);
  });

  it("tell all problems at once", () => {
    expect(() => parseOptions(healthOptionsSchema, { intervalMs: 1, timeoutMs: -1 }, "health")).toThrow(
      "3 problems",
    );
  });
});
