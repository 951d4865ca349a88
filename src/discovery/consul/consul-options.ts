import { z } from "zod";
import { positiveMs, tlsFileOptionsSchema, VALUE_HIDDEN } from "../../core/index.js";
import { secretText } from "../secret-options.js";

const consulShape = {
  /** ACL token. Better in `tokenFile` or the environment: `CONSUL_HTTP_TOKEN`, `CONSUL_HTTP_TOKEN_FILE`. Default: none. */
  token: secretText("allowed: the token, as a text").optional(),
  /** File with the ACL token, read again for each question. */
  tokenFile: z.string().min(1).optional(),
  /** Environment variable with the ACL token, read likewise. Default `CONSUL_HTTP_TOKEN`. */
  tokenEnv: z.string().min(1).optional(),
  /** TLS to Consul's HTTPS port; `{}` trusts whom Node trusts. Default: plaintext, unless `CONSUL_HTTP_SSL` is true. */
  tls: tlsFileOptionsSchema.optional(),
  /**
   * How long Consul holds a question while nothing changes, in milliseconds; it adds up to a sixteenth. Default 60,000,
   * 1,000 to 600,000 (Consul's own limit). A frozen Consul is noticed after this and `lookupTimeoutMs`.
   */
  waitMs: positiveMs(1_000).max(600_000).default(60_000),
};
/** By name, so that declarations keep the comments of its keys. */
export interface ConsulSchema extends z.ZodObject<typeof consulShape, z.core.$strict> {}

/** How Consul is asked; what is asked for stands in the target. */
export const consulOptionsSchema: ConsulSchema = z.strictObject(consulShape).check(
  z.superRefine<object>((options, context) => {
    const given = (["token", "tokenFile", "tokenEnv"] as const).filter(
      (key) => Reflect.get(options, key) !== undefined,
    );
    for (const key of given.slice(1)) {
      const message = `set beside ${given[0]}; give one of them`;
      context.addIssue({ code: "custom", path: [key], message, params: VALUE_HIDDEN });
    }
  }),
);

export type ConsulOptions = z.input<typeof consulOptionsSchema>;
export type ResolvedConsulOptions = z.output<typeof consulOptionsSchema>;
