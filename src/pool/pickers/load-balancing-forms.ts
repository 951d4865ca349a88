import { z } from "zod";

/** What `loadBalancing` takes, by name; every name is in one place only. */
export interface KnownPolicies {
  /** The options of each policy there is. */
  readonly options: ReadonlyMap<string, z.ZodType>;
  /** Other names of these policies. */
  readonly aliases: ReadonlyMap<string, string>;
  /** Names that are refused. */
  readonly refused: readonly string[];
}

/** The forms that `loadBalancing` may have, as JSON Schema for editors: a name, or one with the options of its policy. */
export function loadBalancingForms({ options, aliases, refused }: KnownPolicies): object[] {
  const names = [...options.keys()];
  const withOptions = [...options].map(([name, schema]) => {
    const { properties } = z.toJSONSchema(schema, { io: "input", unrepresentable: "any" });
    const policy = { enum: [name, ...[...aliases].filter(([, to]) => to === name).map(([alias]) => alias)] };
    return {
      type: "object",
      properties: { policy, ...properties },
      required: ["policy"],
      additionalProperties: false,
    };
  });
  const policyOfOnesOwn = { type: "string", not: { enum: [...names, ...aliases.keys(), ...refused] } };
  return [
    { type: "string", examples: names, not: { enum: refused } },
    ...withOptions,
    { type: "object", properties: { policy: policyOfOnesOwn }, required: ["policy"] },
  ];
}
