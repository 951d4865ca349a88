import type { CallOptions } from "@grpc/grpc-js";
import { z } from "zod";
import { type GrpcDeadline, isObject, parseOptions, positiveMs, systemClock } from "../core/index.js";
import { compressionSchema } from "../pool/index.js";
import { hedgingOverrideSchema, retryOverrideSchema } from "../retry/index.js";

const callSettingsShape = {
  /**
   * Time for the whole call, all attempts and waits included, in ms, from the moment the call is made; null for no
   * limit, not even the channel's default.
   */
  timeoutMs: positiveMs().nullable().optional(),
  /** The same as an absolute instant: a `Date` or epoch ms, as in grpc-js. */
  deadline: z.union([z.date(), z.number()]).optional(),
  /** True when running this call twice does no harm: it may then be repeated after it was sent. */
  idempotent: z.boolean().optional(),
  /** True to wait for a READY endpoint until the deadline instead of failing while all are down. */
  waitForReady: z.boolean().optional(),
  /** Changes the method's retry options for this call; false makes one attempt. */
  retry: retryOverrideSchema.optional(),
  /**
   * Hedging of this call, if it is idempotent by `idempotent` here, by configuration or by definition: all options of
   * its own, or false for none.
   */
  hedging: hedgingOverrideSchema.optional(),
  /**
   * Calls with equal keys go to one endpoint while it is usable, under `ring_hash`, `consistent_hash` and pickers of
   * your own that read it; not empty. Under other policies, and without a pool, it has no effect.
   */
  hashKey: z.string().min(1).optional(),
  /** How the messages of this call are compressed: `identity`, `deflate` or `gzip`; needs a pool. */
  compression: compressionSchema.optional(),
  /** Largest request message of this call, in bytes; the method's and the channel's limits still hold. */
  maxSendMessageBytes: z.int().min(0).optional(),
  /** Largest response message of this call, in bytes; the method's and the channel's limits still hold. */
  maxReceiveMessageBytes: z.int().min(0).optional(),
  /** Aborting it cancels the call, in every wait too. */
  signal: z.instanceof(AbortSignal).optional(),
};

const callSettingsSchema: z.ZodObject<typeof callSettingsShape, z.core.$strict> = z
  .strictObject(callSettingsShape)
  .refine((settings) => settings.timeoutMs === undefined || settings.deadline === undefined, {
    when: isObject,
    path: ["deadline"],
    message: "timeoutMs and deadline are both set; give one of them",
  })
  .refine(({ retry, hedging }) => !isPolicy(retry) || !isPolicy(hedging), {
    when: isObject,
    path: ["hedging"],
    message: "stands beside retry; give one of them (gRFC A6)",
  });

function isPolicy(value: unknown): boolean {
  return value !== undefined && value !== false;
}

/** Options of one call. */
export type CallSettings = z.input<typeof callSettingsSchema>;
export type ResolvedCallSettings = z.output<typeof callSettingsSchema>;

/** The instant for channels that do not know our settings: as good as none, yet one that grpc-js can send. */
const FAR_AWAY_MS = 100 * 365 * 24 * 3_600_000;

/**
 * Carries the settings of a call through grpc-js: of all call options only the deadline reaches `createCall`, as the
 * object it was, through interceptors too. An interceptor that replaces the deadline drops them.
 */
export class SettingsDeadline extends Date {
  constructor(
    epochMs: number,
    readonly settings: ResolvedCallSettings,
  ) {
    super(epochMs);
  }
}

/**
 * Options of one call for callback stubs: `client.getUser(request, callOptions({ timeoutMs: 500 }), callback)`. The
 * result may be kept and used for many calls: `timeoutMs` counts from each of them.
 *
 * @param settings one or several; a later one wins, key by key
 * @throws ResilienceError `CONFIG_INVALID` naming each bad key.
 */
export function callOptions(...settings: [CallSettings, ...CallSettings[]]): CallOptions {
  const merged = settings.length === 1 ? settings[0] : Object.assign({}, ...settings);
  const resolved = parseOptions(callSettingsSchema, merged, "callOptions");
  const now = systemClock.epoch();
  const epochMs =
    resolved.deadline === undefined ? now + (resolved.timeoutMs ?? FAR_AWAY_MS) : Number(resolved.deadline);
  const inRange = Math.min(epochMs, now + FAR_AWAY_MS);
  return { deadline: new SettingsDeadline(inRange, resolved) };
}

const NONE: ResolvedCallSettings = {};

export function settingsOf(deadline: GrpcDeadline): ResolvedCallSettings {
  return deadline instanceof SettingsDeadline ? deadline.settings : NONE;
}
