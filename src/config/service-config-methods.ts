import { type ChannelOptions, channelDataShape } from "../call/channel-options.js";
import type { MethodConfig } from "./service-config-schema.js";

/** What an entry can say of a method. */
type MethodOptions = Pick<
  NonNullable<ChannelOptions["methods"]>[string],
  | "idempotent"
  | "timeoutMs"
  | "maxTimeoutMs"
  | "waitForReady"
  | "retry"
  | "hedging"
  | "maxSendMessageBytes"
  | "maxReceiveMessageBytes"
>;
/** What the default entry can say of a channel. */
export type DefaultOptions = Omit<MethodOptions, "idempotent">;

const MAX_BYTES = 2 ** 31 - 1;
/** A channel's own limits, which those of a service config can only lower (R156). */
const DEFAULT_BYTES = {
  maxSendMessageBytes: channelDataShape.maxSendMessageBytes.parse(undefined),
  maxReceiveMessageBytes: channelDataShape.maxReceiveMessageBytes.parse(undefined),
};
const BYTES_KEYS = ["maxSendMessageBytes", "maxReceiveMessageBytes"] as const;

/** Options merge field by field, and entries do not (R154): this is what shadows a less exact entry's field. */
const UNSAID: MethodOptions = {
  idempotent: false,
  timeoutMs: channelDataShape.timeoutMs.parse(undefined),
  maxTimeoutMs: null,
  waitForReady: false,
  hedging: false,
  maxSendMessageBytes: MAX_BYTES,
  maxReceiveMessageBytes: MAX_BYTES,
};

/** What becomes of the entries of a `methodConfig`. */
export interface ImportedMethods {
  /** The entry for everything that no other one names. */
  readonly everywhere: DefaultOptions | null;
  /** By `package.Service/Method` and `package.Service`. */
  readonly methods: Readonly<Record<string, MethodOptions>>;
  /** What could not be kept to the letter, as sentences. */
  readonly warnings: readonly string[];
}

export interface EntryRules {
  readonly declareIdempotent: boolean;
  readonly maxAttemptsLimit: number;
}

/** Turns entries into options that mean the same. */
export function importMethods(entries: readonly MethodConfig[], rules: EntryRules): ImportedMethods {
  const warnings: string[] = [];
  const byName = new Map<string, MethodOptions>();
  for (const [index, entry] of entries.entries()) {
    const options = optionsOf(entry, rules, (problem) => warnings.push(`methodConfig.${index}.${problem}`));
    for (const name of entry.name ?? []) byName.set(name, options);
  }
  const named = [...byName].filter(([name]) => name !== "");
  const everywhere = asDefault(byName.get("") ?? null, named, warnings);
  const methods = named.map(([name, options]): [string, MethodOptions] => {
    const above = [everywhere, name.includes("/") ? byName.get(name.split("/")[0] ?? "") : null];
    const shadows = Object.entries(UNSAID).filter(([key]) =>
      above.some((level) => level !== null && level !== undefined && key in level),
    );
    return [name, { ...Object.fromEntries(shadows), ...options }];
  });
  return { everywhere, methods: Object.fromEntries(methods), warnings };
}

/** The fields of one entry, only those it has, but always a word on retry: none is none (R8). */
function optionsOf(entry: MethodConfig, rules: EntryRules, warn: (problem: string) => void): MethodOptions {
  const { timeout, waitForReady, maxRequestMessageBytes, maxResponseMessageBytes } = entry;
  const retry = clamped("retryPolicy", entry.retryPolicy, rules, warn);
  const hedging = clamped("hedgingPolicy", entry.hedgingPolicy, rules, warn);
  const isDeclared = rules.declareIdempotent && (retry !== null || hedging !== null);
  return {
    ...(isDeclared ? { idempotent: true } : {}),
    // R48: what holds where the application gives no deadline, and the longest where it gives one.
    ...(isSet(timeout) ? { timeoutMs: timeout, maxTimeoutMs: timeout } : {}),
    ...(isSet(waitForReady) ? { waitForReady } : {}),
    retry: retry ?? false,
    ...(hedging === null ? {} : { hedging }),
    ...(isSet(maxRequestMessageBytes)
      ? { maxSendMessageBytes: Math.min(maxRequestMessageBytes, MAX_BYTES) }
      : {}),
    ...(isSet(maxResponseMessageBytes)
      ? { maxReceiveMessageBytes: Math.min(maxResponseMessageBytes, MAX_BYTES) }
      : {}),
  };
}

function isSet<T>(value: T | null | undefined): value is T {
  return value !== null && value !== undefined;
}

/** R2: more attempts than the limit are the limit, but not in silence. */
function clamped<P extends { readonly maxAttempts: number }>(
  key: string,
  policy: P | null | undefined,
  { maxAttemptsLimit }: EntryRules,
  warn: (problem: string) => void,
): P | null {
  if (!isSet(policy)) return null;
  const { maxAttempts } = policy;
  if (maxAttempts <= maxAttemptsLimit) return policy;
  warn(`${key}.maxAttempts is ${maxAttempts} and counts as ${maxAttemptsLimit}, the limit`);
  return { ...policy, maxAttempts: maxAttemptsLimit };
}

/**
 * The default entry as options of the channel, which differ in two points: a channel is not idempotent, and its limits
 * of bytes hold for every method.
 */
function asDefault(
  entry: MethodOptions | null,
  named: readonly (readonly [string, MethodOptions])[],
  warnings: string[],
): DefaultOptions | null {
  if (entry === null) return null;
  const { idempotent, ...options } = entry;
  if (idempotent === true) {
    warnings.push("a policy for every method declares none of them idempotent; name services or methods");
  }
  for (const key of BYTES_KEYS) {
    const bytes = options[key];
    if (bytes === undefined) continue;
    const isLowered = bytes < DEFAULT_BYTES[key];
    const roomy = named.find(([, { [key]: own = MAX_BYTES }]) => own > bytes);
    if (isLowered && roomy === undefined) continue;
    delete options[key];
    if (isLowered) {
      warnings.push(
        `the default's ${bytes} bytes for ${key} are left out, since ${roomy?.[0]} may have more`,
      );
    }
  }
  return options;
}
