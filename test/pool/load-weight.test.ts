import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { OrcaLoadReport } from "../../src/gen/xds/data/orca/v3/orca_load_report.js";
import { LoadWeight, type LoadWeightOptions } from "../../src/pool/load-weight.js";

const NAN = Number.NaN;

/** Without a blackout unless given. */
function loadWeight(options: Partial<LoadWeightOptions> = {}): LoadWeight {
  return new LoadWeight({
    blackoutMs: 0,
    weightExpirationMs: 180_000,
    errorUtilizationPenalty: 1,
    metricNames: [],
    ...options,
  });
}

function bytes(report: Partial<OrcaLoadReport>): Uint8Array {
  return OrcaLoadReport.encode(OrcaLoadReport.fromPartial(report)).finish();
}

/** As protobuf writes it. */
function double(value: number): Uint8Array {
  return new Uint8Array(new Float64Array([value]).buffer);
}

const GOOD = bytes({ rpsFractional: 100, cpuUtilization: 0.5 });
/** Its weight. */
const GOOD_WEIGHT = 200;

/** What one report makes of an endpoint without one. */
function weightOf(report: Partial<OrcaLoadReport>, options: Partial<LoadWeightOptions> = {}): number {
  const weight = loadWeight(options);
  weight.report(bytes(report), 0);
  return weight.read(0);
}

describe("the weight of a load report", () => {
  it.each<[string, Partial<OrcaLoadReport>, number, number]>([
    ["calls per second over the CPU's utilization", { rpsFractional: 100, cpuUtilization: 0.5 }, 1, 200],
    [
      "the application's own utilization before the CPU's",
      { rpsFractional: 100, applicationUtilization: 0.25, cpuUtilization: 0.5 },
      1,
      400,
    ],
    [
      "the CPU's where the application says NaN",
      { rpsFractional: 100, applicationUtilization: NAN, cpuUtilization: 0.5 },
      1,
      200,
    ],
    ["less by the share of errors", { rpsFractional: 100, cpuUtilization: 0.5, eps: 50 }, 1, 100],
    [
      "less by the share of errors times the penalty",
      { rpsFractional: 100, cpuUtilization: 0.5, eps: 50 },
      3,
      50,
    ],
    [
      "no less by errors where the penalty is 0",
      { rpsFractional: 100, cpuUtilization: 0.5, eps: 50 },
      0,
      200,
    ],
    ["no more by errors below zero", { rpsFractional: 100, cpuUtilization: 0.5, eps: -10 }, 1, 200],
    ["a utilization above 1 as it is", { rpsFractional: 100, cpuUtilization: 2 }, 1, 50],
  ])("is %s (R119)", (_, report, errorUtilizationPenalty, expected) => {
    expect(weightOf(report, { errorUtilizationPenalty })).toBeCloseTo(expected, 9);
  });

  it.each<[string, Partial<OrcaLoadReport>]>([
    ["no calls", { cpuUtilization: 0.5 }],
    ["the calls only in the field that is no longer used", { rps: 100n, cpuUtilization: 0.5 }],
    ["no utilization", { rpsFractional: 100 }],
    ["errors but no utilization", { rpsFractional: 100, eps: 10 }],
    ["nothing", {}],
    ["a utilization below zero", { rpsFractional: 100, cpuUtilization: -1 }],
    ["NaN for the calls", { rpsFractional: NAN, cpuUtilization: 0.5 }],
    ["NaN for the utilization", { rpsFractional: 100, cpuUtilization: NAN }],
    ["endless calls", { rpsFractional: Number.POSITIVE_INFINITY, cpuUtilization: 0.5 }],
    ["an endless utilization", { rpsFractional: 100, cpuUtilization: Number.POSITIVE_INFINITY }],
  ])("stays as it was when a report says %s (R119)", (_, report) => {
    const weight = loadWeight();
    weight.report(bytes(report), 0);
    expect(weight.read(0)).toBe(0);
    weight.report(GOOD, 1);

    weight.report(bytes(report), 2);

    expect(weight.read(2)).toBe(GOOD_WEIGHT);
  });

  it.each<[string, string[], number]>([
    ["mem_utilization", ["mem_utilization"], 0.4],
    ["cpu_utilization before the application's", ["cpu_utilization"], 0.2],
    ["application_utilization", ["application_utilization"], 0.1],
    ["a metric of its own", ["named_metrics.queue"], 0.8],
    ["a key that holds a dot", ["named_metrics.pool.size"], 0.7],
    ["a resource", ["utilization.disk"], 0.3],
    ["the largest of several", ["mem_utilization", "named_metrics.queue", "utilization.disk"], 0.8],
    ["those that are there", ["named_metrics.missing", "utilization.disk"], 0.3],
    ["those that are a number", ["named_metrics.nan", "utilization.disk"], 0.3],
    ["those above zero", ["named_metrics.negative", "utilization.disk"], 0.3],
    ["what it would without names when none is there", ["named_metrics.missing", "utilization.queue"], 0.1],
  ])("counts by the metrics that are named: %s (R120)", (_, metricNames, utilization) => {
    const report = {
      rpsFractional: 10,
      cpuUtilization: 0.2,
      memUtilization: 0.4,
      applicationUtilization: 0.1,
      namedMetrics: new Map([
        ["queue", 0.8],
        ["pool.size", 0.7],
        ["nan", NAN],
        ["negative", -3],
      ]),
      utilization: new Map([["disk", 0.3]]),
    };

    expect(weightOf(report, { metricNames })).toBeCloseTo(10 / utilization, 9);
  });

  it.each([
    ["bytes that are no report", Uint8Array.of(0xff, 0xff, 0xff)],
    ["a report cut short", GOOD.subarray(0, GOOD.length - 3)],
    ["nothing at all", new Uint8Array()],
  ])("bears %s: the call that brought it is none the worse", (_, given) => {
    const weight = loadWeight();
    weight.report(GOOD, 0);

    weight.report(given, 1);

    expect(weight.read(1)).toBe(GOOD_WEIGHT);
  });

  it.each<[string, number, Partial<LoadWeightOptions>, number]>([
    ["cpu_utilization", 0x09, {}, 400],
    ["mem_utilization", 0x11, { metricNames: ["mem_utilization"] }, 400],
    ["application_utilization", 0x49, {}, 400],
  ])("reads the %s that a server of another language has written", (_, tag, options, expected) => {
    const weight = loadWeight(options);

    weight.report(Uint8Array.of(tag, ...double(0.25), 0x31, ...double(100)), 0);

    expect(weight.read(0)).toBe(expected);
  });

  it.each<[string, number, string[]]>([
    ["named_metrics", 0x42, ["named_metrics.q"]],
    ["utilization", 0x2a, ["utilization.q"]],
  ])("reads the %s and the errors that a server of another language has written", (_, tag, metricNames) => {
    const weight = loadWeight({ metricNames });
    const entry = [tag, 12, 0x0a, 1, "q".charCodeAt(0), 0x11, ...double(0.5)];

    weight.report(Uint8Array.of(...entry, 0x31, ...double(100), 0x39, ...double(50)), 0);

    expect(weight.read(0)).toBe(100);
  });

  it("never throws, and is 0 or above and finite whatever servers send", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 60 }),
        fc.double(),
        fc.double(),
        fc.double(),
        (noise, a, b, eps) => {
          const weight = loadWeight();
          weight.report(noise, 0);
          weight.report(bytes({ rpsFractional: a, cpuUtilization: b, eps }), 0);

          expect(weight.read(0)).toBeGreaterThanOrEqual(0);
          expect(weight.read(0)).toBeLessThan(Number.POSITIVE_INFINITY);
        },
      ),
    );
  });
});

describe("how long a weight holds", () => {
  it("is 0 before the first report", () => {
    expect(loadWeight().read(0)).toBe(0);
    expect(loadWeight({ blackoutMs: 10_000 }).read(1e9)).toBe(0);
  });

  it.each([
    [9_999, 0],
    [10_000, GOOD_WEIGHT],
  ])("is used only when reports have come for blackoutMs (R121: after %d ms)", (afterMs, expected) => {
    const weight = loadWeight({ blackoutMs: 10_000 });
    weight.report(GOOD, 500);
    weight.report(GOOD, 5_000);

    expect(weight.read(500 + afterMs)).toBe(expected);
  });

  it.each([
    [179_999, GOOD_WEIGHT],
    [180_000, 0],
  ])("expires after the last report (R121: after %d ms)", (afterMs, expected) => {
    const weight = loadWeight();
    weight.report(GOOD, 0);
    weight.report(GOOD, 1_000);

    expect(weight.read(1_000 + afterMs)).toBe(expected);
  });

  it("is not held up by reports that say nothing (R121)", () => {
    const weight = loadWeight({ weightExpirationMs: 1_000 });
    weight.report(GOOD, 0);
    weight.report(bytes({}), 900);

    expect(weight.read(1_000)).toBe(0);
  });

  it("waits through another blackout once it was found expired (R121)", () => {
    const weight = loadWeight({ blackoutMs: 10_000, weightExpirationMs: 60_000 });
    weight.report(GOOD, 0);
    expect(weight.read(60_000)).toBe(0);

    weight.report(GOOD, 70_000);

    expect(weight.read(79_999)).toBe(0);
    expect(weight.read(80_000)).toBe(GOOD_WEIGHT);
  });

  it("waits through another blackout, from the next report on, when the endpoint is READY again (R121)", () => {
    const weight = loadWeight({ blackoutMs: 10_000 });
    weight.report(GOOD, 0);
    expect(weight.read(10_000)).toBe(GOOD_WEIGHT);

    weight.restart();

    expect(weight.read(30_000)).toBe(0);
    weight.report(GOOD, 30_000);
    expect(weight.read(39_999)).toBe(0);
    expect(weight.read(40_000)).toBe(GOOD_WEIGHT);
  });
});
