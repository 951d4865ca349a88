import { z } from "zod";
import { isObject } from "../core/index.js";
import { hedgingPolicySchema, retryPolicySchema, retryThrottlingSchema } from "./service-config-policies.js";
import { positiveJsonDuration, wholeNumber } from "./service-config-values.js";

const SERVICE = /^[A-Za-z_][\w.]*$/;
const METHOD = /^[A-Za-z_]\w*$/;

/** The policies there are, by gRPC's names; each with the configuration that gRPC knows of it. */
const POLICIES = {
  round_robin: z.object({}),
  pick_first: z.object({ shuffleAddressList: z.boolean().nullish() }),
};
type PolicyName = keyof typeof POLICIES;
const POLICY_NAMES = Object.keys(POLICIES) as PolicyName[];
const ALLOWED_POLICIES = `allowed: ${POLICY_NAMES.join(", ")}`;

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

/** Counts of bytes have 32 bits in gRPC's schema. */
const messageBytes = () =>
  wholeNumber()
    .min(0)
    .max(2 ** 32 - 1);

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

/** R157: the first element whose policy is supported; what its configuration is, decides. */
const loadBalancingConfigSchema = z
  .array(
    z.record(z.string(), z.unknown()).superRefine((element, context) => {
      const count = Object.keys(element).length;
      if (count === 1) return;
      context.addIssue({ code: "custom", message: `has ${count} keys; allowed: one, the policy's name` });
    }),
  )
  .transform((list, context) => {
    const names = list.map((element) => Object.keys(element)[0] ?? "");
    const index = names.findIndex((name) => Object.hasOwn(POLICIES, name));
    const name = names[index] as PolicyName | undefined;
    if (name === undefined) {
      const message = `names no supported policy (${names.join(", ") || "none"}); ${ALLOWED_POLICIES}`;
      context.addIssue({ code: "custom", message, input: list });
      return z.NEVER;
    }
    const config = POLICIES[name].safeParse(list[index]?.[name], { reportInput: true });
    for (const issue of config.error?.issues ?? []) {
      context.issues.push({ ...issue, path: [index, name, ...issue.path], input: issue.input } as never);
    }
    return { name, asksForShuffle: Reflect.get(config.data ?? {}, "shuffleAddressList") === true };
  });

/** The policy of the deprecated way to name one: alone, in any case. */
export function policyNamed(text: string): PolicyName | undefined {
  return POLICY_NAMES.find((known) => known === text.toLowerCase());
}

type Balancing = { readonly loadBalancingConfig?: unknown; readonly loadBalancingPolicy?: unknown };

/** R152: beside a list the name alone is not read, and may well be one that only older clients know. */
const onePolicy = z.superRefine<Balancing>(
  ({ loadBalancingConfig, loadBalancingPolicy: name }, context) => {
    if (typeof name !== "string" || name === "" || (loadBalancingConfig ?? null) !== null) return;
    if (policyNamed(name) !== undefined) return;
    context.addIssue({ code: "custom", path: ["loadBalancingPolicy"], message: ALLOWED_POLICIES });
  },
  { when: isObject },
);

/** gRPC's service config (gRFC A2, A6, A21, A24), as far as there are options for it. Unknown fields are ignored. */
export const serviceConfigSchema = z
  .object({
    loadBalancingConfig: loadBalancingConfigSchema.nullish(),
    loadBalancingPolicy: z.string().nullish(),
    methodConfig: z
      .array(methodConfigSchema)
      .check(z.superRefine(eachNameOnce, { when: ({ value }) => Array.isArray(value) }))
      .nullish(),
    retryThrottling: retryThrottlingSchema.nullish(),
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
