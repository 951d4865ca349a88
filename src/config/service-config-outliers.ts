import { z } from "zod";
import type { ChannelOptions } from "../call/channel-options.js";
import { changed, given, jsonDuration, jsonWholeNumber, MAX_COUNT } from "./service-config-values.js";

const count = () => jsonWholeNumber(0, MAX_COUNT);
const percent = () => jsonWholeNumber(0, 100);
/** gRFC A50; the channel's own is 50, which breakers share. */
const DEFAULT_MAX_EJECTION_PERCENT = 10;

const algorithmShape = {
  enforcementPercentage: percent().nullish(),
  minimumHosts: count().nullish(),
  requestVolume: count().nullish(),
};
const successRateSchema = z
  .object({ stdevFactor: count().nullish(), ...algorithmShape })
  .transform(({ enforcementPercentage: enforcementPercent, ...others }) =>
    given({ ...others, enforcementPercent }),
  );
const failurePercentageSchema = z
  .object({ threshold: percent().nullish(), ...algorithmShape })
  .transform(({ enforcementPercentage: enforcementPercent, ...others }) =>
    given({ ...others, enforcementPercent }),
  );

/** The fields of gRPC's `outlier_detection` (gRFC A50; R90), without its child. */
export const outlierShape = {
  interval: jsonDuration().nullish(),
  baseEjectionTime: jsonDuration().nullish(),
  maxEjectionTime: jsonDuration().nullish(),
  maxEjectionPercent: percent().nullish(),
  successRateEjection: successRateSchema.nullish(),
  failurePercentageEjection: failurePercentageSchema.nullish(),
};
type Outliers = { readonly [K in keyof typeof outlierShape]?: z.output<(typeof outlierShape)[K]> };

/**
 * The same in the words of our options. Without an algorithm nothing is ejected (R92), and the limit, which would then
 * be one of breakers alone, is left out with the rest.
 */
export function outlierOptions(
  outliers: Outliers,
): Pick<ChannelOptions, "outlierEjection" | "maxEjectionPercent"> {
  const { successRateEjection: successRate, failurePercentageEjection: failurePercentage } = outliers;
  if (!successRate && !failurePercentage) return {};
  return {
    maxEjectionPercent: outliers.maxEjectionPercent ?? DEFAULT_MAX_EJECTION_PERCENT,
    outlierEjection: given({
      intervalMs: changed(outliers.interval, (ms) => Math.max(ms, 1)),
      baseEjectionMs: outliers.baseEjectionTime,
      maxEjectionMs: outliers.maxEjectionTime,
      successRate,
      failurePercentage,
    }),
  };
}
