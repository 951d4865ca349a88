import { OrcaLoadReport } from "../gen/xds/data/orca/v3/orca_load_report.js";
import { utilizationOf } from "./load-utilization.js";
import type { LoadReportSource } from "./pickers/picker.js";

/** What of a policy's options makes a weight of reports. */
export type LoadWeightOptions = Pick<
  LoadReportSource,
  "blackoutMs" | "weightExpirationMs" | "errorUtilizationPenalty" | "metricNames"
>;

/** The weight of an endpoint, from the load that it reports itself (R119-R121). */
export class LoadWeight {
  readonly #options: LoadWeightOptions;
  #weight = 0;
  #updatedAt = Number.NEGATIVE_INFINITY;
  /** When reports began; Infinity while none has come. */
  #since = Number.POSITIVE_INFINITY;

  constructor(options: LoadWeightOptions) {
    this.#options = options;
  }

  /** 0 while there is no usable report. */
  read(now: number): number {
    const { blackoutMs, weightExpirationMs } = this.#options;
    if (now - this.#updatedAt >= weightExpirationMs) {
      this.#since = Number.POSITIVE_INFINITY;
      return 0;
    }
    // The first reports of a server that is starting say little.
    return blackoutMs > 0 && now - this.#since < blackoutMs ? 0 : this.#weight;
  }

  /**
   * @param bytes a serialized `xds.data.orca.v3.OrcaLoadReport`; what is none is taken for no report, since the call that
   * brought it is none the worse
   */
  report(bytes: Uint8Array, now: number): void {
    const report = decode(bytes);
    const weight = report === null ? 0 : this.#weightOf(report);
    if (!(weight > 0 && weight < Number.POSITIVE_INFINITY)) return;
    if (this.#since === Number.POSITIVE_INFINITY) this.#since = now;
    this.#updatedAt = now;
    this.#weight = weight;
  }

  /** The endpoint became READY: reports are to be waited for anew. */
  restart(): void {
    this.#since = Number.POSITIVE_INFINITY;
  }

  /** NaN or 0 where the report says nothing. */
  #weightOf(report: OrcaLoadReport): number {
    const { rpsFractional: qps, eps } = report;
    const utilization = utilizationOf(report, this.#options.metricNames);
    if (!(qps > 0 && utilization > 0)) return 0;
    const penalty = eps > 0 ? (eps / qps) * this.#options.errorUtilizationPenalty : 0;
    return qps / (utilization + penalty);
  }
}

function decode(bytes: Uint8Array): OrcaLoadReport | null {
  try {
    return OrcaLoadReport.decode(bytes);
  } catch {
    return null;
  }
}
