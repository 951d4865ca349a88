import { z } from "zod";
import type { ChannelOptions } from "../call/channel-options.js";
import { type ImportedLeaf, LEAVES } from "./service-config-leaves.js";
import { outlierOptions, outlierShape } from "./service-config-outliers.js";
import { jsonWholeNumber, MAX_COUNT } from "./service-config-values.js";

/** The options of a channel of which load balancing can say something. */
type BalancingOptions = Pick<
  ChannelOptions,
  "loadBalancing" | "outlierEjection" | "maxEjectionPercent" | "subsetting"
>;

/** What a `loadBalancingConfig` says, in the words of our options. */
export interface ImportedBalancing {
  /** gRPC's names of the policies, the outermost first; only the last one chooses among endpoints. */
  readonly policies: readonly string[];
  readonly options: BalancingOptions;
  /** What could not be kept to the letter, as sentences. */
  readonly warnings: readonly string[];
}

type Policy = z.ZodType<ImportedBalancing>;

const childPolicy: Policy = z.lazy(() => balancingListSchema);

/** A policy that does something of its own and leaves the choice to its child. */
function around(name: string, child: ImportedBalancing, own: BalancingOptions): ImportedBalancing {
  return { ...child, policies: [name, ...child.policies], options: { ...own, ...child.options } };
}

/** gRFC A50 (R90, R102). */
const outlierDetection: Policy = z
  .object({ ...outlierShape, childPolicy })
  .transform(({ childPolicy: child, ...outliers }, context) => {
    const problem = problemOfChild(context);
    if (child.policies.includes("pick_first")) {
      problem("ends in pick_first, under which there is nothing to eject (gRFC A50); use round_robin");
    }
    if (child.policies.includes("outlier_detection")) problem("has outlier_detection again; allowed: once");
    return around("outlier_detection", child, outlierOptions(outliers));
  });

/** No target has more endpoints: such a subset is all of them. */
const MAX_SUBSET_SIZE = 1_000_000;

/** gRFC A68 (R135). */
const randomSubsetting: Policy = z
  .object({ subsetSize: jsonWholeNumber(1, MAX_COUNT), childPolicy })
  .transform(({ subsetSize: asked, childPolicy: child }, context) => {
    if (child.policies.includes("random_subsetting")) {
      problemOfChild(context)("has random_subsetting again; allowed: once");
    }
    const subsetSize = Math.min(asked, MAX_SUBSET_SIZE);
    return around("random_subsetting", child, { subsetting: { policy: "random_subsetting", subsetSize } });
  });

function problemOfChild(context: z.core.$RefinementCtx): (message: string) => void {
  return (message) => context.addIssue({ code: "custom", path: ["childPolicy"], message });
}

function leaf(name: string, schema: z.ZodType<ImportedLeaf>): Policy {
  return schema.transform(({ options, warnings }) => ({
    policies: [name],
    options: { loadBalancing: Object.keys(options).length === 0 ? name : { policy: name, ...options } },
    warnings: warnings.map((warning) => `${name}: ${warning}`),
  }));
}

const leaves = Object.entries(LEAVES).map(([name, schema]) => [name, leaf(name, schema)] as const);
const POLICIES: ReadonlyMap<string, Policy> = new Map([
  ...leaves,
  ["outlier_detection", outlierDetection],
  ["random_subsetting", randomSubsetting],
]);
const NAMES = [...POLICIES.keys()].join(", ");

/** R138: gRPC's names of some have a suffix, and are taken without it, too. */
const EXPERIMENTAL = new Set(["least_request", "ring_hash", "outlier_detection", "random_subsetting"]);

function policyBy(name: string): Policy | undefined {
  const [, stem = ""] = /^(.*)_experimental$/.exec(name) ?? [];
  return POLICIES.get(EXPERIMENTAL.has(stem) ? stem : name);
}

/** R157: the first element whose policy is supported; what its configuration is, decides. */
export const balancingListSchema: Policy = z
  .array(
    z.record(z.string(), z.unknown()).superRefine((element, context) => {
      const count = Object.keys(element).length;
      if (count === 1) return;
      context.addIssue({ code: "custom", message: `has ${count} keys; allowed: one, the policy's name` });
    }),
  )
  .transform((list, context) => {
    const names = list.map((element) => Object.keys(element)[0] ?? "");
    const index = names.findIndex((name) => policyBy(name) !== undefined);
    const name = names[index] ?? "";
    const policy = policyBy(name);
    if (policy === undefined) {
      const message = `names no supported policy (${names.join(", ") || "none"}); allowed: ${NAMES}`;
      context.addIssue({ code: "custom", message, input: list });
      return z.NEVER;
    }
    const config = policy.safeParse(list[index]?.[name], { reportInput: true });
    for (const issue of config.error?.issues ?? []) {
      context.issues.push({ ...issue, path: [index, name, ...issue.path], input: issue.input } as never);
    }
    return config.data ?? z.NEVER;
  });

/** The policies that a name alone is enough for. */
export const NAMED_POLICIES = leaves.map(([name]) => name);

/** The policy of the deprecated way to name one: alone, in any case. */
export function policyNamed(text: string): ImportedBalancing | undefined {
  return policyBy(text.toLowerCase())?.safeParse({}).data;
}
