import { createChannel, fromServiceConfig, type ServiceConfigOptions } from "holdfast";
import { afterEach, describe, expect, it, vi } from "vitest";

const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
afterEach(() => {
  emitWarning.mockClear();
});

/** Of options that a channel has taken. */
async function imported(config: object): Promise<ServiceConfigOptions> {
  const options = fromServiceConfig(config);
  const channel = createChannel("static:///a:1", { insecure: true, ...options });
  await channel.close();
  return options;
}

const balanced = (...loadBalancingConfig: object[]) => imported({ loadBalancingConfig });
/** What was told of service configs; the plaintext of the channels is not. */
const warnings = () =>
  emitWarning.mock.calls.map(([text]) => String(text)).filter((text) => text.startsWith("fromServiceConfig"));
const CHILD = { childPolicy: [{ round_robin: {} }] };

describe("load balancing", () => {
  it.each([
    [{ loadBalancingConfig: [{ round_robin: {} }] }, "round_robin"],
    [{ loadBalancingConfig: [{ xds: 5 }, { pick_first: {} }, { round_robin: {} }] }, "pick_first"],
    [{ loadBalancingPolicy: "ROUND_ROBIN" }, "round_robin"],
    [{ loadBalancingPolicy: "Ring_Hash_Experimental" }, "ring_hash"],
    [{ loadBalancingPolicy: "pick_first", loadBalancingConfig: [{ round_robin: {} }] }, "round_robin"],
    [
      { loadBalancingPolicy: "grpclb", loadBalancingConfig: [{ grpclb: {} }, { pick_first: {} }] },
      "pick_first",
    ],
    [{ loadBalancingPolicy: "" }, undefined],
    [{}, undefined],
  ])("is the first supported policy of %j (R157, R152)", async (config, expected) => {
    expect((await imported(config)).loadBalancing).toBe(expected);
  });

  it.each([
    ["least_request", { loadBalancing: "least_request" }, {}],
    ["ring_hash", { loadBalancing: "ring_hash" }, {}],
    [
      "random_subsetting",
      { loadBalancing: "round_robin", subsetting: { policy: "random_subsetting", subsetSize: 3 } },
      { subsetSize: 3, ...CHILD },
    ],
    [
      "outlier_detection",
      { loadBalancing: "round_robin", maxEjectionPercent: 10, outlierEjection: { successRate: {} } },
      { successRateEjection: {}, ...CHILD },
    ],
  ])("takes %s with gRPC's suffix and without it (R138)", async (name, expected, config) => {
    expect(await balanced({ [name]: config })).toEqual(expected);
    expect(await balanced({ [`${name}_experimental`]: config })).toEqual(expected);
  });

  it.each([
    [{}, "pick_first"],
    [{ shuffleAddressList: null }, "pick_first"],
    [{ shuffleAddressList: false }, "pick_first"],
    [{ shuffleAddressList: true }, { policy: "pick_first", shuffleAddressList: true }],
  ])("shuffles addresses where pick_first is told to: %j (R113)", async (config, expected) => {
    expect((await balanced({ pick_first: config })).loadBalancing).toEqual(expected);
    expect(warnings()).toEqual([]);
  });

  it.each([
    [{}, {}],
    [
      { enableOobLoadReport: true, oobReportingPeriod: "5s" },
      { oobLoadReports: true, oobReportingPeriodMs: 5_000 },
    ],
    [
      { oobReportingPeriod: "0s", weightExpirationPeriod: "0s" },
      { oobReportingPeriodMs: 1, weightExpirationMs: 1 },
    ],
    [
      { blackoutPeriod: "0s", weightExpirationPeriod: "60s" },
      { blackoutMs: 0, weightExpirationMs: 60_000 },
    ],
    [{ weightUpdatePeriod: "0.01s" }, { weightUpdateMs: 100 }],
    [{ weightUpdatePeriod: "2.5s" }, { weightUpdateMs: 2_500 }],
    [{ errorUtilizationPenalty: 0 }, { errorUtilizationPenalty: 0 }],
    [{ errorUtilizationPenalty: 1.5, blackoutPeriod: null }, { errorUtilizationPenalty: 1.5 }],
  ])("weighs by load reports as weighted_round_robin says: %j (R118)", async (config, expected) => {
    expect((await balanced({ weighted_round_robin: config })).loadBalancing).toEqual({
      policy: "weighted_round_robin",
      source: "load_reports",
      ...expected,
    });
  });

  it("leaves out metrics that no report has, and says so (R118, R120)", async () => {
    const names = ["cpu_utilization", "cpu", "named_metrics.queue.depth", "named_metrics."];

    const { loadBalancing } = await balanced({
      weighted_round_robin: { metricNamesForComputingUtilization: names },
    });

    expect(loadBalancing).toMatchObject({ metricNames: ["cpu_utilization", "named_metrics.queue.depth"] });
    expect(warnings()[0]).toContain('weighted_round_robin: "cpu" is no metric of a load report');
    expect(warnings()[0]).toContain('"named_metrics." is no metric');
  });

  it.each([
    [2, 2],
    [10, 10],
    [11, 10],
    [2 ** 32 - 1, 10],
  ])(
    "draws as many endpoints as least_request says, ten at most: %d (R125)",
    async (choiceCount, expected) => {
      expect((await balanced({ least_request: { choiceCount } })).loadBalancing).toEqual({
        policy: "least_request",
        choiceCount: expected,
      });
    },
  );

  it.each([
    [
      { minRingSize: 10, maxRingSize: 20 },
      { minRingSize: 10, maxRingSize: 20 },
    ],
    [
      { minRingSize: "10", maxRingSize: "8388608" },
      { minRingSize: 10, maxRingSize: 8_388_608 },
    ],
    [{ minRingSize: null, requestHashHeader: "X-User" }, { requestHashHeader: "x-user" }],
  ])(
    "makes the ring that ring_hash describes, 64 bits as text, too: %j (R127, R132)",
    async (config, expected) => {
      expect((await balanced({ ring_hash: config })).loadBalancing).toEqual({
        policy: "ring_hash",
        ...expected,
      });
    },
  );

  it("knows no header where its name is empty, as protobuf writes it (R132)", async () => {
    expect((await balanced({ ring_hash: { requestHashHeader: "" } })).loadBalancing).toBe("ring_hash");
  });
});

describe("outlier_detection", () => {
  const ejecting = (config: object) => balanced({ outlier_detection: { ...CHILD, ...config } });

  it("becomes outlierEjection, field by field (R90)", async () => {
    const algorithm = { enforcementPercentage: 50, minimumHosts: 3, requestVolume: 20 };

    const options = await ejecting({
      interval: "5s",
      baseEjectionTime: "0s",
      maxEjectionTime: "120s",
      maxEjectionPercent: 40,
      successRateEjection: { stdevFactor: 1_500, ...algorithm },
      failurePercentageEjection: { threshold: 70, ...algorithm },
    });

    const own = { enforcementPercent: 50, minimumHosts: 3, requestVolume: 20 };
    expect(options).toEqual({
      loadBalancing: "round_robin",
      maxEjectionPercent: 40,
      outlierEjection: {
        intervalMs: 5_000,
        baseEjectionMs: 0,
        maxEjectionMs: 120_000,
        successRate: { stdevFactor: 1_500, ...own },
        failurePercentage: { threshold: 70, ...own },
      },
    });
  });

  it.each([
    [{ interval: "0s", failurePercentageEjection: {} }, 10, { intervalMs: 1, failurePercentage: {} }],
    [{ maxEjectionPercent: 0, successRateEjection: {} }, 0, { successRate: {} }],
    [{ maxEjectionPercent: null, successRateEjection: { stdevFactor: null } }, 10, { successRate: {} }],
  ])(
    "may take out a tenth unless it says more, and has gRPC's defaults: %j (R90)",
    async (config, percent, expected) => {
      expect(await ejecting(config)).toEqual({
        loadBalancing: "round_robin",
        maxEjectionPercent: percent,
        outlierEjection: expected,
      });
    },
  );

  it("without an algorithm changes nothing, not the limit of breakers either (R92)", async () => {
    expect(await ejecting({ interval: "1s", maxEjectionPercent: 1 })).toEqual({
      loadBalancing: "round_robin",
    });
  });

  it("works around any policy but pick_first, and around a subset (R102, R135)", async () => {
    const subset = {
      random_subsetting: { subsetSize: 2, childPolicy: [{ least_request: { choiceCount: 3 } }] },
    };

    expect(await ejecting({ successRateEjection: {}, childPolicy: [{ unknown: {} }, subset] })).toEqual({
      loadBalancing: { policy: "least_request", choiceCount: 3 },
      maxEjectionPercent: 10,
      outlierEjection: { successRate: {} },
      subsetting: { policy: "random_subsetting", subsetSize: 2 },
    });
  });
});

it("takes a subset as large as any for all endpoints (R135)", async () => {
  const { subsetting } = await balanced({
    random_subsetting_experimental: { subsetSize: 2 ** 32 - 1, childPolicy: [{ pick_first: {} }] },
  });

  expect(subsetting).toEqual({ policy: "random_subsetting", subsetSize: 1_000_000 });
});

describe("healthCheckConfig", () => {
  it.each([
    [{ serviceName: "a.B" }, { health: { serviceName: "a.B" } }],
    [{ serviceName: "" }, { health: { serviceName: "" } }],
    [{ serviceName: null }, {}],
    [{}, {}],
    [null, {}],
  ])(
    "asks for the health of the service it names, the empty name too: %j (R80)",
    async (healthCheckConfig, expected) => {
      expect(await imported({ healthCheckConfig })).toEqual(expected);
    },
  );

  it("has no effect under pick_first, and says so (R87)", async () => {
    const healthCheckConfig = { serviceName: "a.B" };

    expect(await imported({ healthCheckConfig, loadBalancingConfig: [{ pick_first: {} }] })).toEqual({
      loadBalancing: "pick_first",
    });
    expect(warnings()).toEqual([
      "fromServiceConfig: healthCheckConfig has no effect under pick_first (gRFC A17)",
    ]);
  });
});

describe("connectionScaling", () => {
  it.each([
    [0, 1],
    [1, 1],
    [10, 10],
    [11, 10],
    [2 ** 32 - 1, 10],
  ])(
    "allows %d connections to an endpoint as %d, and says when that is less (R76)",
    async (asked, expected) => {
      const options = await imported({ connectionScaling: { maxConnectionsPerSubchannel: asked } });

      expect(options).toEqual({ maxConnections: expected });
      expect(warnings()).toEqual(
        asked > expected
          ? [
              `fromServiceConfig: connectionScaling.maxConnectionsPerSubchannel is ${asked} and counts as 10, the limit`,
            ]
          : [],
      );
    },
  );

  it("says nothing where it names no number", async () => {
    expect(await imported({ connectionScaling: {} })).toEqual({});
  });
});
