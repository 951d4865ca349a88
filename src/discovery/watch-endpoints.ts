import { z } from "zod";
import { describeIssues, type Endpoint, EventHub, problemsError } from "../core/index.js";
import { Discovery, type DiscoveryListener } from "./discovery.js";
import { type DiscoveryOptions, discoveryOptionsSchema } from "./discovery-options.js";
import { EndpointWatch } from "./endpoint-watch.js";
import type { ResolverDeps } from "./resolver.js";
import type { ResolvedTarget } from "./target-kinds.js";
import { parseTargets } from "./target-list.js";

const watchShape = {
  /** How resolvers pace themselves, and what of their answers is believed; as `discovery` of a channel. */
  discovery: discoveryOptionsSchema.prefault({}),
  /** Aborting it ends the watch, as leaving the loop does. */
  signal: z.instanceof(AbortSignal).optional(),
  /** Told of each look-up that fails, and by which target; the last set still holds. */
  onError: z
    .custom<(error: Error, source: string) => void>(
      (given) => typeof given === "function",
      "allowed: a function",
    )
    .optional(),
};
const watchOptionsSchema: z.ZodObject<typeof watchShape, z.core.$strict> = z.strictObject(watchShape);

/** Options of `watchEndpoints`. */
export interface WatchOptions {
  /** How resolvers pace themselves, and what of their answers is believed; as `discovery` of a channel. */
  readonly discovery?: DiscoveryOptions;
  /** Aborting it ends the watch, as leaving the loop does. */
  readonly signal?: AbortSignal;
  /** Told of each look-up that fails, and by which target; the last set still holds. */
  readonly onError?: (error: Error, source: string) => void;
}

/** See `watchEndpoints` of src/call, which says what a user has to know. */
export function watchEndpoints(
  target: string | readonly string[],
  options: WatchOptions,
  deps: ResolverDeps,
): AsyncIterable<readonly Endpoint[]> {
  const result = watchOptionsSchema.safeParse(options, { reportInput: true });
  const issues = result.success ? [] : describeIssues(result.error.issues, watchOptionsSchema, options);
  const { targets, problems } = resolvedTargets(target);
  if (!result.success || problems.length > 0) throw problemsError("watchEndpoints", [...issues, ...problems]);
  const { discovery, signal, onError } = result.data;
  const failures = new EventHub<readonly [Error, string]>();
  if (onError !== undefined) failures.subscribe(([error, source]) => onError(error, source));
  const open = (onEndpoints: DiscoveryListener["onEndpoints"]): Discovery => {
    const opened = new Discovery(targets, deps, discovery);
    opened.start({ onEndpoints, onError: (error, source) => failures.emit([error, source]) });
    return opened;
  };
  return { [Symbol.asyncIterator]: () => new EndpointWatch(open, deps.clock, signal) };
}

function resolvedTargets(target: unknown): {
  readonly targets: readonly ResolvedTarget[];
  readonly problems: readonly string[];
} {
  const refuse = (...problems: string[]) => ({ targets: [], problems });
  if (typeof target !== "string" && !Array.isArray(target)) {
    const shown = target === null ? "null" : typeof target;
    return refuse(`target is ${shown}; allowed: a string such as dns:///host:port, or a list of them`);
  }
  const parsed = parseTargets(target);
  if (!parsed.ok) return refuse(...parsed.problems);
  const targets = parsed.targets.filter((each) => each.scheme !== "passthrough");
  if (targets.length < parsed.targets.length) {
    return refuse(`${parsed.canonical} has no endpoints to watch, as grpc-js chooses its servers`);
  }
  return { targets, problems: [] };
}
