import { z } from "zod";
import { channelDataShape, channelRules, methodsWithinChannel } from "../call/channel-options.js";
import { poolRules } from "../call/pool-rules-options.js";
import {
  canonicalAddress,
  isObject,
  parseAddress,
  type TlsFileOptions,
  tlsFileOptionsSchema,
} from "../core/index.js";
import { targetSchema } from "../discovery/target-options.js";
import { connectionsInOrder } from "../pool/pool-options.js";
import {
  clerkChannelRefusals,
  discoveryNeedsTarget,
  raftChannelRefusals,
} from "../raft-peer/channel-beneath-options.js";
import { clerkOptionsShape } from "../raft-peer/clerk-options.js";
import { messagesFitChannel, raftPeerOptionsShape } from "../raft-peer/raft-peer-options.js";
import { discoveryTls } from "./discovery-files.js";

/** What an entry is called in code: `holdfast.channel("users")`. A dot or a slash would blur the paths in errors. */
const NAME = /^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/;

/** Entries by name. Names are checked beside the entries, so that a bad name hides no problem of its entry. */
function named<E extends z.ZodType>(entry: E) {
  const namesAllowed = z.superRefine<object>(
    (entries, context) => {
      for (const name of Object.keys(entries).filter((name) => !NAME.test(name))) {
        const message = "as a name is not allowed; allowed: 1 to 64 letters, digits, _ and -";
        context.addIssue({ code: "custom", path: [name], message });
      }
    },
    { when: isObject },
  );
  // For editors; by the schema itself a bad name would hide the problems of its entry.
  const propertyNames = { type: "string", pattern: NAME.source };
  return z.record(z.string(), entry).check(namesAllowed).meta({ propertyNames }).default({});
}

/** Addresses as `host:port`, at least one, none twice. */
const addressesSchema = z
  .array(
    z.string().superRefine((text, context) => {
      const parsed = parseAddress(text);
      if (typeof parsed === "string") context.addIssue({ code: "custom", message: parsed });
    }),
  )
  .min(1)
  .check(z.superRefine(eachOnce, { when: ({ value }) => Array.isArray(value) }));

function eachOnce(texts: readonly unknown[], context: z.core.$RefinementCtx): void {
  const seen = new Set<string>();
  for (const [index, text] of texts.entries()) {
    const parsed = typeof text === "string" ? parseAddress(text) : "";
    if (typeof parsed === "string") continue;
    const address = canonicalAddress(parsed);
    if (seen.has(address)) context.addIssue({ code: "custom", path: [index], message: "listed twice" });
    seen.add(address);
  }
}

/** Says what is wrong with the files that a `tls` names. */
export type TlsFilesCheck = (
  tls: TlsFileOptions,
) => readonly { readonly key: string; readonly message: string }[];

/** The files for TLS to a registry, which `discovery` of an entry or of its channel names. */
function discoveryFilesReadable(filesOf: TlsFilesCheck) {
  return z.superRefine<object>(
    (entry, context) => {
      for (const { path, tls } of discoveryTls(entry)) {
        for (const { key, message } of filesOf(tls)) {
          context.addIssue({ code: "custom", path: [...path, key], message });
        }
      }
    },
    { when: isObject },
  );
}

/** How the connections of an entry are secured: `tls`, or `insecure: true` said aloud. */
function securityShape(filesOf: TlsFilesCheck) {
  const readable = z.superRefine<TlsFileOptions>(
    (tls, context) => {
      for (const { key, message } of filesOf(tls)) {
        context.addIssue({ code: "custom", path: [key], message });
      }
    },
    { when: isObject },
  );
  return {
    /** Files for TLS; `{}` trusts the authorities that Node trusts. */
    tls: tlsFileOptionsSchema.check(readable).optional(),
    /** True for plaintext. Warns once. */
    insecure: z.boolean().optional(),
  };
}

type Security = { readonly tls?: unknown; readonly insecure?: unknown };

/** The same for editors. */
const SECURED_ONE_WAY = {
  oneOf: [{ required: ["tls"] }, { required: ["insecure"], properties: { insecure: { const: true } } }],
};

const securedOneWay = z.superRefine<Security>(
  ({ tls, insecure }, context) => {
    const problem = (key: keyof Security, message: string) =>
      context.addIssue({ code: "custom", path: [key], message });
    if (tls !== undefined && insecure === true) problem("insecure", "set beside tls; give one of them");
    if (tls !== undefined) return;
    if (insecure === undefined) problem("tls", "missing; give tls, or insecure: true for plaintext");
    if (insecure === false) problem("insecure", "needs tls");
  },
  { when: isObject },
);

/** The same for editors. */
const REACHED_ONE_WAY = { oneOf: [{ required: ["servers"] }, { required: ["target"] }] };

const reachedOneWay = z.superRefine<{ readonly servers?: unknown; readonly target?: unknown }>(
  ({ servers, target }, context) => {
    if (servers === undefined && target === undefined) {
      context.addIssue({ code: "custom", path: ["servers"], message: "missing; give servers or target" });
    }
    if (servers !== undefined && target !== undefined) {
      context.addIssue({ code: "custom", path: ["target"], message: "set beside servers; give one of them" });
    }
  },
  { when: isObject },
);

const meWithinAddresses = z.superRefine<{ readonly addresses?: unknown; readonly me?: unknown }>(
  ({ addresses, me }, context) => {
    if (!Array.isArray(addresses) || typeof me !== "number") return;
    if (addresses.length === 0 || me < addresses.length) return;
    const message = `allowed: 0 to ${addresses.length - 1}, a place in addresses`;
    context.addIssue({ code: "custom", path: ["me"], message });
  },
  { when: isObject },
);

/** Further options of a Clerk's channels, whose preset, and so their defaults, are fixed. */
const clerkChannel = z
  .strictObject({
    ...channelDataShape,
    discovery: withoutDefault(channelDataShape.discovery),
    ...clerkChannelRefusals,
  })
  .check(methodsWithinChannel, connectionsInOrder, poolRules)
  .prefault({});

/** The same below peers. Unless it is set, the largest message follows from what the peers may send. */
const raftChannel = z
  .strictObject({
    ...channelDataShape,
    maxSendMessageBytes: withoutDefault(channelDataShape.maxSendMessageBytes),
    ...raftChannelRefusals,
  })
  .check(...channelRules)
  .prefault({});

/** For an option about which it matters whether somebody set it. */
function withoutDefault<S extends z.ZodType>(option: { unwrap(): S }): z.ZodOptional<S> {
  return option.unwrap().optional();
}

/**
 * The whole file.
 *
 * @param filesOf says what is wrong with the files that a `tls` names
 */
export function configSchema(filesOf: TlsFilesCheck) {
  const security = securityShape(filesOf);
  const filesReadable = discoveryFilesReadable(filesOf);
  return z.strictObject({
    /** Where an editor finds the schema of this file; not read. */
    $schema: z.string().optional(),
    /** Channels by name. `target` is what `createChannel` takes, further keys are its options. */
    channels: named(
      z
        .strictObject({ target: targetSchema, ...security, ...channelDataShape })
        .check(securedOneWay, filesReadable, ...channelRules)
        .meta(SECURED_ONE_WAY),
    ),
    /** Clerks by name: `servers` or `target`, the options of `createClerk`, and `channel` with further ones of its channel. */
    clerks: named(
      z
        .strictObject({
          servers: addressesSchema.optional(),
          target: targetSchema.optional(),
          ...security,
          ...clerkOptionsShape,
          channel: clerkChannel,
        })
        .check(securedOneWay, reachedOneWay, filesReadable, discoveryNeedsTarget)
        .meta({ allOf: [SECURED_ONE_WAY, REACHED_ONE_WAY] }),
    ),
    /** Raft clusters by name: the `addresses` of all nodes, which of them is this one, and the options of `createRaftPeers`. */
    raftPeers: named(
      z
        .strictObject({
          addresses: addressesSchema,
          /** This node's place in `addresses`. May also be said in code, so that all nodes can share a file. */
          me: z.int().min(0).optional(),
          ...security,
          ...raftPeerOptionsShape,
          channel: raftChannel,
        })
        .check(securedOneWay, meWithinAddresses, messagesFitChannel, filesReadable)
        .meta(SECURED_ONE_WAY),
    ),
  });
}

type Schema = ReturnType<typeof configSchema>;
/** What may stand in the file. */
export type ConfigInput = z.input<Schema>;
/** The file with every default in place. */
export type ResolvedConfig = z.output<Schema>;
