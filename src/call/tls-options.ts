import { z } from "zod";
import { isObject } from "../core/index.js";

/** PEM files that secure a channel, for configuration files; code gives credentials. */
export const tlsOptionsSchema = z
  .strictObject({
    /** Certificates of the authorities to trust. Default: the authorities that Node trusts. */
    caFile: z.string().min(1).optional(),
    /** This client's certificate chain, for servers that ask for one (mutual TLS). Needs keyFile. */
    certFile: z.string().min(1).optional(),
    /** The private key of certFile, without a passphrase. Needs certFile. */
    keyFile: z.string().min(1).optional(),
  })
  .refine(({ certFile, keyFile }) => certFile === undefined || keyFile !== undefined, {
    when: isObject,
    path: ["keyFile"],
    message: "missing; certFile needs it",
  })
  .refine(({ certFile, keyFile }) => keyFile === undefined || certFile !== undefined, {
    when: isObject,
    path: ["certFile"],
    message: "missing; keyFile needs it",
  });

export type TlsOptions = z.input<typeof tlsOptionsSchema>;

/** What the files hold; null for those that are not named. */
export interface TlsMaterial {
  readonly ca: Buffer | null;
  readonly cert: Buffer | null;
  readonly key: Buffer | null;
}
