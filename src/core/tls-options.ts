import { isIP } from "node:net";
import { z } from "zod";
import { isObject, isPem, VALUE_HIDDEN } from "./options.js";

const HOST_NAME = /^(?!-)[A-Za-z0-9_.-]{1,253}$/;

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

const pemText = () =>
  z.custom<string | Uint8Array>((value) => typeof value === "string" || value instanceof Uint8Array, {
    abort: false,
    params: VALUE_HIDDEN,
    message: "allowed: PEM text, as a string or a Buffer",
  });

const tlsDataShape = {
  /** File with the certificates of the authorities to trust. Default: the authorities that Node trusts. */
  caFile: filePath().optional(),
  /** File with this client's certificate chain, for servers that ask for one (mutual TLS). Needs keyFile. */
  certFile: filePath().optional(),
  /** File with the private key of certFile, without a passphrase. Needs certFile. */
  keyFile: filePath().optional(),
  /** Oldest version of TLS that is spoken: `TLSv1.2` or `TLSv1.3`. Default `TLSv1.2`. */
  minVersion: z.enum(["TLSv1.2", "TLSv1.3"]).default("TLSv1.2"),
  /**
   * Name that the servers' certificates must carry, all of them, in place of the one they are called by; it changes no
   * `:authority`. Default: the name of the endpoint, of the target, or the address.
   */
  serverName: z
    .string()
    .refine((name) => HOST_NAME.test(name) || isIP(name) !== 0, {
      message: "allowed: a host name or an IP address, without a port",
    })
    .optional(),
  /** True to look at the files again and again, and to use what is new in them for new connections. Default true. */
  watchFiles: z.boolean().default(true),
  /**
   * How often the files are read, in ms. Default 10,000: certificates are renewed hours before the old ones end, and
   * three small files cost less than a call; 100 or more.
   */
  reloadMs: z.number().min(100).max(86_400_000).default(10_000),
};

const KINDS = ["ca", "cert", "key"] as const;
type Fields = Readonly<Record<string, unknown>>;

/** Each of the three comes from one place, and certificate and key come together. */
const fitsTogether = z.superRefine<object>(
  (options, context) => {
    const given = options as Fields;
    const problem = (key: string, message: string) =>
      context.addIssue({ code: "custom", path: [key], message, params: VALUE_HIDDEN });
    for (const kind of KINDS) {
      if (given[kind] !== undefined && given[`${kind}File`] !== undefined)
        problem(`${kind}File`, `set beside ${kind}; give one of them`);
    }
    const cert = placeOf(given, "cert");
    const key = placeOf(given, "key");
    if (cert !== null && key === null) problem(cert.replace("cert", "key"), `missing; ${cert} needs it`);
    if (key !== null && cert === null) problem(key.replace("key", "cert"), `missing; ${key} needs it`);
  },
  { when: isObject },
);

function placeOf(given: Fields, kind: "cert" | "key"): string | null {
  return [`${kind}File`, kind].find((key) => given[key] !== undefined) ?? null;
}

/** By name, so that declarations keep the comments of its keys. */
export interface TlsFileSchema extends z.ZodObject<typeof tlsDataShape, z.core.$strict> {}

/** How a channel is secured, as a file says it: keys and certificates by the paths of their files. */
export const tlsFileOptionsSchema: TlsFileSchema = z.strictObject(tlsDataShape).check(fitsTogether);

const tlsTextShape = {
  /** In place of caFile: the certificates of the authorities to trust, as PEM. */
  ca: pemText().optional(),
  /** In place of certFile: this client's certificate chain, as PEM. */
  cert: pemText().optional(),
  /** In place of keyFile: the private key of the certificate, as PEM. */
  key: pemText().optional(),
};
/** By name, so that declarations keep the comments of its keys. */
export interface TlsSchema extends z.ZodObject<typeof tlsDataShape & typeof tlsTextShape, z.core.$strict> {}

/** How a channel is secured; code may also give what the files would hold. */
export const tlsOptionsSchema: TlsSchema = z
  .strictObject({ ...tlsDataShape, ...tlsTextShape })
  .check(fitsTogether);

export type TlsFileOptions = z.input<typeof tlsFileOptionsSchema>;
export type TlsOptions = z.input<typeof tlsOptionsSchema>;
export type ResolvedTlsOptions = z.output<typeof tlsOptionsSchema>;
