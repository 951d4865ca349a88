import { type ChannelInterface, status as Status } from "@grpc/grpc-js";
import { z } from "zod";
import {
  type Clock,
  onAbort,
  parseOptions,
  positiveMs,
  ResilienceError,
  Subscription,
} from "../core/index.js";
import type { Readiness } from "../pool/index.js";

const readyShape = {
  /** How long to wait, in ms. Default 10,000. */
  timeoutMs: positiveMs().default(10_000),
  /**
   * `any`, the default: one endpoint is enough. `all`: every endpoint that the policy connects by itself, up to
   * maxConnectedEndpoints.
   */
  endpoints: z.enum(["any", "all"]).default("any"),
  /** Aborting it ends the wait, and nothing else. */
  signal: z.instanceof(AbortSignal).optional(),
};

const readyOptionsSchema: z.ZodObject<typeof readyShape, z.core.$strict> = z.strictObject(readyShape);
export type ReadyOptions = z.input<typeof readyOptionsSchema>;

export interface ReadyParts {
  readonly clock: Clock;
  /** Calls back whenever something may have changed. */
  subscribe(onChange: () => void): Subscription;
  connect(): void;
  /** Null once the channel is closed. */
  readiness(): Readiness | null;
  /** All or nothing: what was connected is closed again. */
  giveUp(): void;
}

/** See `ResilientChannel.ready`. */
export async function awaitReady(options: ReadyOptions, parts: ReadyParts): Promise<void> {
  const { timeoutMs, endpoints, signal } = parseOptions(readyOptionsSchema, options, "ready");
  const wasIdle = parts.readiness()?.isIdle === true;
  return new Promise((resolve, reject) => {
    const undo: (() => void)[] = [];
    let isOver = false;
    const settle = (error: ResilienceError | null): void => {
      if (isOver) return;
      isOver = true;
      for (const stop of undo) stop();
      if (error === null) return resolve();
      // All or nothing of what was connected for this; an abort ends the wait, and nothing else.
      if (endpoints === "all" && wasIdle && error.reason !== "CANCELLED") parts.giveUp();
      reject(error);
    };
    const look = (): void => {
      const readiness = parts.readiness();
      if (readiness === null) settle(notReady("CLIENT_CLOSED", "the channel was closed"));
      else if (readiness.wanted > 0 && readiness.ready >= (endpoints === "all" ? readiness.wanted : 1))
        settle(null);
      else if (endpoints === "all" && readiness.failed !== null)
        settle(notReady(readiness.isUnwell ? "NO_READY_ENDPOINT" : "DIAL_FAILED", readiness.failed));
      // Something has sent the channel to idle meanwhile.
      else if (readiness.isIdle && readiness.wanted > 0) parts.connect();
    };
    const timer = parts.clock.setTimer(
      () =>
        settle(
          notReady("NO_READY_ENDPOINT", `not ready after ${timeoutMs} ms: ${waitedFor(parts.readiness())}`),
        ),
      timeoutMs,
      { keepAlive: true },
    );
    undo.push(() => timer.cancel());
    // An event comes in the middle of a change, before it is complete.
    const subscription = parts.subscribe(() => queueMicrotask(look));
    undo.push(() => subscription.dispose());
    if (signal !== undefined) {
      const abort = () => settle(notReady("CANCELLED", "the signal was aborted"));
      if (signal.aborted) return abort();
      undo.push(onAbort(signal, abort));
    }
    if (parts.readiness() !== null) parts.connect();
    look();
  });
}

function waitedFor(readiness: Readiness | null): string {
  if (readiness === null) return "the channel was closed";
  return readiness.isUnwell && readiness.failed !== null ? readiness.failed : readiness.missing;
}

/** Follows the state of a stub's own channel, which tells of no other event. */
export function followChannel(channel: ChannelInterface, onChange: () => void): Subscription {
  let isOver = false;
  const follow = (): void => {
    const seen = channel.getConnectivityState(true);
    channel.watchConnectivityState(seen, Number.POSITIVE_INFINITY, () => {
      if (isOver) return;
      onChange();
      follow();
    });
  };
  follow();
  return new Subscription(() => {
    isOver = true;
  });
}

const CODES = {
  CLIENT_CLOSED: Status.CANCELLED,
  CANCELLED: Status.CANCELLED,
  DIAL_FAILED: Status.UNAVAILABLE,
  NO_READY_ENDPOINT: Status.UNAVAILABLE,
} as const;

function notReady(reason: keyof typeof CODES, details: string): ResilienceError {
  return new ResilienceError({ reason, code: CODES[reason], details });
}
