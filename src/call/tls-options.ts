import { z } from "zod";
import { isObject, isPem, VALUE_HIDDEN } from "../core/index.js";

/** False for the text of a key or certificate where the path of its file belongs: it must not be read, nor told. */
export function isFilePath(value: unknown): value is string {
  return typeof value === "string" && value !== "" && !/[\r\n]/.test(value) && !isPem(value);
}

const filePath = () =>
  z.string().superRefine((path, context) => {
    if (isFilePath(path)) return;
    const message =
      path === "" ? "allowed: the path of a file" : "holds PEM text; allowed: the path of a file";
    context.addIssue({ code: "custom", message, params: VALUE_HIDDEN });
  });

/** PEM files that secure a channel, for configuration files; code gives credentials. */
export const tlsOptionsSchema = z
  .strictObject({
    /** Certificates of the authorities to trust. Default: the authorities that Node trusts. */
    caFile: filePath().optional(),
    /** This client's certificate chain, for servers that ask for one (mutual TLS). Needs keyFile. */
    certFile: filePath().optional(),
    /** The private key of certFile, without a passphrase. Needs certFile. */
    keyFile: filePath().optional(),
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
