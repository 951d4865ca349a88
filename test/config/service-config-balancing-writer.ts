import type { ServiceConfigOptions } from "../../src/config/index.js";
import { durationText } from "./duration-text.js";

type Fields = Readonly<Record<string, unknown>>;

/** gRPC's words for ours; what is not here has the same name. */
const FIELDS: Readonly<Record<string, string>> = {
  oobLoadReports: "enableOobLoadReport",
  oobReportingPeriodMs: "oobReportingPeriod",
  blackoutMs: "blackoutPeriod",
  weightExpirationMs: "weightExpirationPeriod",
  weightUpdateMs: "weightUpdatePeriod",
  metricNames: "metricNamesForComputingUtilization",
  intervalMs: "interval",
  baseEjectionMs: "baseEjectionTime",
  maxEjectionMs: "maxEjectionTime",
  successRate: "successRateEjection",
  failurePercentage: "failurePercentageEjection",
  enforcementPercent: "enforcementPercentage",
};

/** An element of `loadBalancingConfig` that says what these options say. */
export function balancingJson(options: ServiceConfigOptions): object {
  const { loadBalancing, subsetting, outlierEjection, maxEjectionPercent } = options;
  const {
    policy,
    source: _,
    ...own
  } = (typeof loadBalancing === "string" ? { policy: loadBalancing } : loadBalancing) as {
    policy: string;
    source?: string;
  };
  let json: object = { [policy]: inGrpcsWords(own) };
  if (subsetting) {
    json = { random_subsetting: { subsetSize: subsetting.subsetSize, childPolicy: [json] } };
  }
  if (outlierEjection) {
    const outliers = { ...inGrpcsWords(outlierEjection as Fields), maxEjectionPercent };
    json = { outlier_detection: { ...outliers, childPolicy: [json] } };
  }
  return json;
}

function inGrpcsWords(fields: Fields): Fields {
  const words = Object.entries(fields).map(([key, value]) => [FIELDS[key] ?? key, inGrpcsForm(key, value)]);
  return Object.fromEntries(words);
}

function inGrpcsForm(key: string, value: unknown): unknown {
  if (key.endsWith("Ms")) return durationText(value as number);
  const isGroup = typeof value === "object" && value !== null && !Array.isArray(value);
  return isGroup ? inGrpcsWords(value as Fields) : value;
}
