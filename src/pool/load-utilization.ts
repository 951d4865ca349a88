import type { OrcaLoadReport } from "../gen/xds/data/orca/v3/orca_load_report.js";

/**
 * The utilization that a report speaks of: the largest of the named metrics that it has, else the application's own
 * number, else that of the CPU (R119, R120).
 */
export function utilizationOf(report: OrcaLoadReport, metricNames: readonly string[]): number {
  let largest = 0;
  for (const name of metricNames) {
    const value = metricOf(report, name);
    // False for NaN, and for what is missing.
    if (value !== undefined && value > largest) largest = value;
  }
  if (largest > 0) return largest;
  return report.applicationUtilization > 0 ? report.applicationUtilization : report.cpuUtilization;
}

function metricOf(report: OrcaLoadReport, name: string): number | undefined {
  switch (name) {
    case "cpu_utilization":
      return report.cpuUtilization;
    case "mem_utilization":
      return report.memUtilization;
    case "application_utilization":
      return report.applicationUtilization;
  }
  // At the first dot: keys may hold further ones.
  const dot = name.indexOf(".");
  const key = name.slice(dot + 1);
  return name.slice(0, dot) === "named_metrics" ? report.namedMetrics.get(key) : report.utilization.get(key);
}
