import { z } from "zod";
import { isObject } from "../core/index.js";
import { balancingListSchema, NAMED_POLICIES, policyNamed } from "./service-config-balancing.js";
import { hedgingPolicySchema, retryPolicySchema, retryThrottlingSchema } from "./service-config-policies.js";
import { jsonWholeNumber, MAX_COUNT, positiveJsonDuration, wholeNumber } from "./service-config-values.js";

const SERVICE = /^[A-Za-z_][\w.]*$/;
const METHOD = /^[A-Za-z_]\w*$/;

/** A name of `methodConfig`, resolved to `package.Service/Method`, `package.Service`, or "" for the default (R153). */
const nameSchema = z
  .object({ service: z.string().nullish(), method: z.string().nullish() })
  .transform((name, context) => {
    const [service, method] = [name.service ?? "", name.method ?? ""];
    const problem = (message: string) => context.addIssue({ code: "custom", message, input: name });
    if (service === "" && method !== "") problem("service is missing beside method; give both, or neither");
    if (service !== "" && !SERVICE.test(service)) {
      problem(`service is ${JSON.stringify(service)}; allowed: a name such as package.Service`);
    }
    if (method !== "" && !METHOD.test(method)) {
      problem(`method is ${JSON.stringify(method)}; allowed: a name such as GetUser`);
    }
    return method === "" ? service : `${service}/${method}`;
  });

const messageBytes = () => wholeNumber().min(0).max(MAX_COUNT);

const methodConfigSchema = z
  .object({
    name: z.array(nameSchema).nullish(),
    timeout: positiveJsonDuration("every call would fail at once").nullish(),
    waitForReady: z.boolean().nullish(),
    maxRequestMessageBytes: messageBytes().nullish(),
    maxResponseMessageBytes: messageBytes().nullish(),
    retryPolicy: retryPolicySchema.nullish(),
    hedgingPolicy: hedgingPolicySchema.nullish(),
  })
  .check(
    z.superRefine<{ readonly retryPolicy?: unknown; readonly hedgingPolicy?: unknown }>(
      ({ retryPolicy, hedgingPolicy }, context) => {
        if ((retryPolicy ?? null) === null || (hedgingPolicy ?? null) === null) return;
        const message = "stands beside retryPolicy; give one of them (gRFC A6)";
        context.addIssue({ code: "custom", path: ["hedgingPolicy"], message });
      },
      { when: isObject },
    ),
  );
/** One entry of `methodConfig`, in the words of our options where they have some. */
export type MethodConfig = z.output<typeof methodConfigSchema>;

type Balancing = { readonly loadBalancingConfig?: unknown; readonly loadBalancingPolicy?: unknown };

/** R152: beside a list the name alone is not read, and may well be one that only older clients know. */
const onePolicy = z.superRefine<Balancing>(
  ({ loadBalancingConfig, loadBalancingPolicy: name }, context) => {
    if (typeof name !== "string" || name === "" || (loadBalancingConfig ?? null) !== null) return;
    if (policyNamed(name) !== undefined) return;
    const message = `allowed: ${NAMED_POLICIES.join(", ")}`;
    context.addIssue({ code: "custom", path: ["loadBalancingPolicy"], message });
  },
  { when: isObject },
);

/** gRPC's service config (gRFC A2, A6, A21, A24), as far as there are options for it. Unknown fields are ignored. */
export const serviceConfigSchema = z
  .object({
    loadBalancingConfig: balancingListSchema.nullish(),
    loadBalancingPolicy: z.string().nullish(),
    methodConfig: z
      .array(methodConfigSchema)
      .check(z.superRefine(eachNameOnce, { when: ({ value }) => Array.isArray(value) }))
      .nullish(),
    retryThrottling: retryThrottlingSchema.nullish(),
    healthCheckConfig: z.object({ serviceName: z.string().nullish() }).nullish(),
    connectionScaling: z
      .object({ maxConnectionsPerSubchannel: jsonWholeNumber(0, MAX_COUNT).nullish() })
      .nullish(),
  })
  .check(onePolicy);
export type ServiceConfig = z.output<typeof serviceConfigSchema>;

/** R153. Entries may still be what they were written as, where something is wrong with them. */
function eachNameOnce(entries: readonly unknown[], context: z.core.$RefinementCtx): void {
  const seen = new Set<unknown>();
  for (const [index, entry] of entries.entries()) {
    const names: unknown = typeof entry === "object" && entry !== null ? Reflect.get(entry, "name") : null;
    if (!Array.isArray(names)) continue;
    for (const [place, name] of names.entries()) {
      if (typeof name === "string" && seen.has(name)) {
        const shown = name === "" ? "the default" : name;
        const message = `${shown} is named a second time; allowed: once in the whole config`;
        context.addIssue({ code: "custom", path: [index, "name", place], message });
      }
      seen.add(name);
    }
  }
}
