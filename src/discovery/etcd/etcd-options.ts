import { z } from "zod";
import { isObject, tlsFileOptionsSchema, VALUE_HIDDEN } from "../../core/index.js";
import { secretText } from "../secret-options.js";

const etcdShape = {
  /** TLS to etcd; `{}` trusts whom Node trusts. Default: plaintext. */
  tls: tlsFileOptionsSchema.optional(),
  /** User of etcd's own authentication, with `password` or `passwordFile`. Default: none. */
  username: z.string().min(1).optional(),
  /** Password of the user. Better in `passwordFile`. */
  password: secretText("allowed: the password, as a text").optional(),
  /** File with the password, read again whenever etcd refuses it. */
  passwordFile: z.string().min(1).optional(),
};
/** By name, so that declarations keep the comments of its keys. */
export interface EtcdSchema extends z.ZodObject<typeof etcdShape, z.core.$strict> {}

/** How etcd is asked; what is asked for stands in the target. */
export const etcdOptionsSchema: EtcdSchema = z.strictObject(etcdShape).check(
  z.superRefine<object>(
    (options, context) => {
      const has = (key: keyof typeof etcdShape) => Reflect.get(options, key) !== undefined;
      const problem = (key: string, message: string) =>
        context.addIssue({ code: "custom", path: [key], message, params: VALUE_HIDDEN });
      if (has("password") && has("passwordFile"))
        problem("passwordFile", "set beside password; give one of them");
      const secret = has("passwordFile") ? "passwordFile" : "password";
      if (has("username") && !has(secret)) problem("password", "missing; username needs it, or passwordFile");
      if (!has("username") && has(secret)) problem("username", `missing; ${secret} needs it`);
    },
    { when: isObject },
  ),
);

export type EtcdOptions = z.input<typeof etcdOptionsSchema>;
export type ResolvedEtcdOptions = z.output<typeof etcdOptionsSchema>;
