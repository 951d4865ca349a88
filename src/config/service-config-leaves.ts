import { z } from "zod";
import { ringHashOptionsSchema } from "../pool/pickers/ring-hash-options.js";
import { weightedRoundRobinOptionsSchema } from "../pool/pickers/weighted-round-robin-options.js";
import { changed, given, jsonDuration, jsonWholeNumber, MAX_COUNT } from "./service-config-values.js";

/** What a policy says, in the words of `loadBalancing`, and what of it could not be kept, as sentences. */
export interface ImportedLeaf {
  readonly options: Readonly<Record<string, unknown>>;
  readonly warnings: readonly string[];
}

const MAX_CHOICES = 10;
const MAX_RING_SIZE = 8_388_608;
const MIN_WEIGHT_UPDATE_MS = 100;
/** What is shorter counts as one, the least that options take. */
const MIN_MS = 1;

function imported(options: object, warnings: readonly string[] = []): ImportedLeaf {
  return { options: { ...options }, warnings };
}

const pickFirst = z
  .object({ shuffleAddressList: z.boolean().nullish() })
  .transform(({ shuffleAddressList }) => imported(shuffleAddressList === true ? { shuffleAddressList } : {}));

/** gRFC A48 (R125). */
const leastRequest = z
  .object({ choiceCount: jsonWholeNumber(2, MAX_COUNT).nullish() })
  .transform(({ choiceCount }) =>
    imported(given({ choiceCount: changed(choiceCount, (choices) => Math.min(choices, MAX_CHOICES)) })),
  );

const metricName = weightedRoundRobinOptionsSchema.shape.metricNames.unwrap().element;

/** gRFC A58 and A114 (R118, R120). Its weights come from load reports, ours from the endpoints unless it is said. */
const weightedRoundRobin = z
  .object({
    enableOobLoadReport: z.boolean().nullish(),
    oobReportingPeriod: jsonDuration().nullish(),
    blackoutPeriod: jsonDuration().nullish(),
    weightExpirationPeriod: jsonDuration().nullish(),
    weightUpdatePeriod: jsonDuration().nullish(),
    errorUtilizationPenalty: z.number().min(0).nullish(),
    metricNamesForComputingUtilization: z.array(z.string()).nullish(),
  })
  .transform((config) => {
    const names = config.metricNamesForComputingUtilization ?? [];
    const metricNames = names.filter((name) => metricName.safeParse(name).success);
    const unknown = names.filter((name) => !metricNames.includes(name));
    const atLeast = (least: number) => (ms: number) => Math.max(ms, least);
    const options = given({
      oobLoadReports: config.enableOobLoadReport,
      oobReportingPeriodMs: changed(config.oobReportingPeriod, atLeast(MIN_MS)),
      blackoutMs: config.blackoutPeriod,
      weightExpirationMs: changed(config.weightExpirationPeriod, atLeast(MIN_MS)),
      weightUpdateMs: changed(config.weightUpdatePeriod, atLeast(MIN_WEIGHT_UPDATE_MS)),
      errorUtilizationPenalty: config.errorUtilizationPenalty,
      metricNames: metricNames.length === 0 ? null : metricNames,
    });
    return imported({ source: "load_reports", ...options }, unknown.map(leftOut));
  });

function leftOut(name: string): string {
  return `${JSON.stringify(name.slice(0, 80))} is no metric of a load report and is left out`;
}

const headerName = ringHashOptionsSchema.shape.requestHashHeader;

/** gRFC A42 and A76 (R127, R132), by the rules of our own options. */
const ringHash = z
  .object({
    minRingSize: jsonWholeNumber(1, MAX_RING_SIZE).nullish(),
    maxRingSize: jsonWholeNumber(1, MAX_RING_SIZE).nullish(),
    requestHashHeader: z
      .string()
      // Names of headers have no case, and an empty one is protobuf's way to say none.
      .transform((name) => name.toLowerCase() || null)
      .superRefine((name, context) => passOn(headerName.safeParse(name), context))
      .nullish(),
  })
  .transform((config, context) => {
    const options = given(config);
    passOn(ringHashOptionsSchema.safeParse(options), context);
    return imported(options);
  });

function passOn({ error }: z.ZodSafeParseResult<unknown>, context: z.core.$RefinementCtx): void {
  for (const issue of error?.issues ?? []) context.issues.push({ ...issue, input: context.value } as never);
}

/** The policies that choose among endpoints, by gRPC's names. */
export const LEAVES: Readonly<Record<string, z.ZodType<ImportedLeaf>>> = {
  round_robin: z.object({}).transform(() => imported({})),
  pick_first: pickFirst,
  weighted_round_robin: weightedRoundRobin,
  least_request: leastRequest,
  ring_hash: ringHash,
};
