import { z } from "zod";
import { saidBy, suggest } from "../../core/index.js";
import { checkedPolicy, guardedPolicy } from "./guarded-picker.js";
import { leastLatency } from "./least-latency.js";
import { leastRequest, leastRequestOptionsSchema } from "./least-request.js";
import { loadBalancingForms } from "./load-balancing-forms.js";
import { pickFirstOptionsSchema, pickFirstWith } from "./pick-first.js";
import type { PickerPolicy } from "./picker.js";
import { random } from "./random.js";
import { consistentHash, ringHash } from "./ring-hash.js";
import { consistentHashOptionsSchema, ringHashOptionsSchema } from "./ring-hash-options.js";
import { roundRobin } from "./round-robin.js";
import { weightedRoundRobin } from "./weighted-round-robin.js";
import { unusedReportOptions, weightedRoundRobinOptionsSchema } from "./weighted-round-robin-options.js";

/** A policy of the user's own. @param options what stands beside `policy` in `loadBalancing` */
export type PickerFactory = (options: Readonly<Record<string, unknown>>) => PickerPolicy;

interface BuiltIn {
  readonly schema: z.ZodObject;
  make(options: unknown): PickerPolicy;
  /** Keys that would do nothing beside the others, and why. */
  unused(given: Readonly<Record<string, unknown>>): readonly (readonly [key: string, why: string])[];
}

const nothing = z.strictObject({});

function builtIn<S extends z.ZodObject>(
  schema: S,
  make: (options: z.output<S>) => PickerPolicy,
  unused: BuiltIn["unused"] = () => [],
): BuiltIn {
  return { schema, make: (options) => make(options as z.output<S>), unused };
}

const BUILT_IN: ReadonlyMap<string, BuiltIn> = new Map(
  Object.entries({
    round_robin: builtIn(nothing, () => roundRobin),
    pick_first: builtIn(pickFirstOptionsSchema, pickFirstWith),
    random: builtIn(nothing, () => random),
    weighted_round_robin: builtIn(weightedRoundRobinOptionsSchema, weightedRoundRobin, unusedReportOptions),
    least_request: builtIn(leastRequestOptionsSchema, leastRequest),
    least_latency: builtIn(nothing, () => leastLatency),
    ring_hash: builtIn(ringHashOptionsSchema, ringHash),
    consistent_hash: builtIn(consistentHashOptionsSchema, consistentHash),
  }),
);

/** gRPC's and others' names for the same. */
const ALIASES: ReadonlyMap<string, string> = new Map([
  ["least_pending", "least_request"],
  ["least_request_experimental", "least_request"],
  ["ring_hash_experimental", "ring_hash"],
]);

const NO_XDS = 'is xDS; give the target as "passthrough:///xds:..." where the xDS package is registered';
/** Names that mean something elsewhere. */
const REFUSED: ReadonlyMap<string, string> = new Map([
  ["grpclb", "is a look-aside protocol that gRPC has given up; use round_robin or weighted_round_robin"],
  ["xds", NO_XDS],
  ["xds_cluster_resolver_experimental", NO_XDS],
  ["outlier_detection", "is no policy here; use outlierEjection beside loadBalancing"],
  ["outlier_detection_experimental", "is no policy here; use outlierEjection beside loadBalancing"],
  ["random_subsetting", "is no policy here; use subsetting beside loadBalancing"],
  ["random_subsetting_experimental", "is no policy here; use subsetting beside loadBalancing"],
  ["deterministic_subsetting", "is no policy here; use subsetting beside loadBalancing"],
  ["priority", "is no policy here; give endpoints a priority"],
  ["priority_experimental", "is no policy here; give endpoints a priority"],
]);

const registered = new Map<string, PickerFactory>();

/**
 * Makes a load-balancing policy of one's own available by name, as `loadBalancing: "name"` or
 * `{ policy: "name", ...options }`, to channels made from then on. A picker that throws, or answers what is no accepted
 * candidate, is replaced by round robin for that pick, and a process warning says so once.
 *
 * @throws TypeError for a name that is taken, or is none: lower-case letters, digits and `_`; and for no function
 */
export function registerPicker(name: string, factory: PickerFactory): void {
  if (!/^[a-z][a-z0-9_]{0,63}$/.test(name)) {
    throw new TypeError(`registerPicker: ${JSON.stringify(name)} is no name; allowed: a-z, 0-9 and _`);
  }
  if (BUILT_IN.has(name) || ALIASES.has(name) || REFUSED.has(name) || registered.has(name)) {
    throw new TypeError(`registerPicker: the name ${name} is taken`);
  }
  if (typeof factory !== "function") {
    throw new TypeError(`registerPicker: what ${name} stands for is ${typeof factory}; allowed: a function`);
  }
  registered.set(name, factory);
}

type BuiltInName =
  | "round_robin"
  | "pick_first"
  | "random"
  | "weighted_round_robin"
  | "least_request"
  | "least_latency"
  | "ring_hash"
  | "consistent_hash";
/** The names there are, for editors to offer, and those that users register. */
type PolicyName = BuiltInName | (string & {});

/** A policy by name, or with options beside the name. */
export type LoadBalancing =
  | PolicyName
  | {
      /** Name of the policy; the other keys are its options. */
      readonly policy: PolicyName;
      readonly [option: string]: unknown;
    };

/** The policies there are, without aliases. */
export function policyNames(): readonly string[] {
  return [...BUILT_IN.keys(), ...registered.keys()];
}

/**
 * `loadBalancing` of a channel. Resolved, it is always an object, with the defaults of its policy.
 */
export const loadBalancingSchema = z
  .custom<LoadBalancing>(() => true)
  .transform((given, context): { readonly policy: string; readonly [option: string]: unknown } => {
    const problem = (message: string, path: PropertyKey[] = []) => {
      context.issues.push({ code: "custom", message, path, input: given, continue: true });
      return { policy: "round_robin" };
    };
    const { policy: asked, ...options } = typeof given === "string" ? { policy: given } : Object(given);
    const path = typeof given === "object" && given !== null && "policy" in given ? ["policy"] : [];
    if (typeof asked !== "string")
      return problem(`allowed: the name of a policy, or { policy, ...options }`, path);
    const name = ALIASES.get(asked) ?? asked;
    const why = REFUSED.get(name);
    if (why !== undefined) return problem(why, path);
    const known = BUILT_IN.get(name);
    if (known === undefined) {
      const factory = registered.get(name);
      if (factory !== undefined) {
        try {
          checkedPolicy(factory(options), name);
          return { policy: name, ...options };
        } catch (error) {
          return problem(saidBy(error));
        }
      }
      return problem(
        `is no load-balancing policy${suggest(asked, [...policyNames(), ...ALIASES.keys()])}`,
        path,
      );
    }
    for (const [key, message] of known.unused(options)) problem(message, [key]);
    const parsed = known.schema.safeParse(options, { reportInput: true });
    if (parsed.success) return { policy: name, ...(parsed.data as object) };
    for (const issue of parsed.error.issues) {
      if (issue.code !== "unrecognized_keys") context.issues.push(issue as (typeof context.issues)[number]);
      else for (const key of issue.keys) problem(noOption(name, key, known.schema), [key]);
    }
    return { policy: name };
  })
  .meta({
    // When it is asked for: nobody but an editor needs it.
    get anyOf() {
      const options = new Map([...BUILT_IN].map(([name, { schema }]) => [name, schema]));
      return loadBalancingForms({ options, aliases: ALIASES, refused: [...REFUSED.keys()] });
    },
  });
export type ResolvedLoadBalancing = z.output<typeof loadBalancingSchema>;

function noOption(policy: string, key: string, { shape }: z.ZodObject): string {
  const known = Object.keys(shape);
  return `is no option of ${policy}${known.length === 0 ? ", which has none" : suggest(key, known)}`;
}

/**
 * The policy that resolved options name.
 * @throws Error of a user's factory that refuses its options
 */
export function policyOf(
  { policy, ...options }: ResolvedLoadBalancing,
  warn: (message: string) => void,
): PickerPolicy {
  const known = BUILT_IN.get(policy);
  if (known !== undefined) return known.make(options);
  const factory = registered.get(policy);
  if (factory === undefined) throw new Error(`there is no load-balancing policy ${policy}`);
  return guardedPolicy(factory(options), policy, warn);
}
