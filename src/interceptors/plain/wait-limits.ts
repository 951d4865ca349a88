import type { EventEmitter } from "node:events";
import { type CallOptions, type InterceptorOptions, propagate, status as Status } from "@grpc/grpc-js";
import { SettingsDeadline, settingsOf } from "../../call/index.js";
import { type Clock, deadlineToEpochMs, onAbort } from "../../core/index.js";
import type { LocalFailure } from "./local-failure.js";

/**
 * What ends the wait of a call that grpc-js does not know of yet: its deadline, its signal, its parent call.
 *
 * @param what the call waits for, for the sentence
 * @returns what releases timer and listeners
 */
export function limitWait(
  clock: Clock,
  options: InterceptorOptions,
  what: string,
  end: (failure: LocalFailure) => void,
): () => void {
  const releases: (() => void)[] = [];
  const cancel = (details: string): void => end({ code: Status.CANCELLED, reason: "CANCELLED", details });
  const leftMs = deadlineOf(options) - clock.epoch();
  if (leftMs !== Number.POSITIVE_INFINITY) {
    const details = `Deadline exceeded while waiting for ${what}`;
    const onDeadline = (): void =>
      end({ code: Status.DEADLINE_EXCEEDED, reason: "DEADLINE_EXCEEDED", details });
    const timer = clock.setTimer(onDeadline, leftMs, { keepAlive: true });
    releases.push(() => timer.cancel());
  }
  const signal = settingsOf(options.deadline ?? Number.POSITIVE_INFINITY).signal;
  if (signal !== undefined) releases.push(followSignal(signal, cancel));
  if (options.parent !== undefined && propagates(options, propagate.CANCELLATION)) {
    releases.push(followParent(options.parent, cancel));
  }
  return () => {
    for (const release of releases) release();
  };
}

/** The instant at which grpc-js will end a call of `absoluteDeadline`, in epoch ms; `Infinity` for none. */
export function deadlineOf(options: CallOptions): number {
  const { deadline = Number.POSITIVE_INFINITY } = options;
  // What a SettingsDeadline shows to grpc-js where it has no deadline is a century away.
  const own = deadlineToEpochMs(
    deadline instanceof SettingsDeadline
      ? (deadline.settings.deadline ?? Number.POSITIVE_INFINITY)
      : deadline,
  );
  const { parent } = options;
  if (parent === undefined || !propagates(options, propagate.DEADLINE)) return own;
  return Math.min(own, deadlineToEpochMs(parent.getDeadline()));
}

/** True when a call takes this from its parent. */
export function propagates({ propagate_flags }: CallOptions, flag: propagate): boolean {
  return ((propagate_flags ?? propagate.DEFAULTS) & flag) !== 0;
}

function followSignal(signal: AbortSignal, cancel: (details: string) => void): () => void {
  const aborted = once(() => cancel("The call was aborted by its signal"));
  const release = onAbort(signal, aborted.run);
  // What has happened already is not told again.
  if (signal.aborted) process.nextTick(aborted.run);
  return () => {
    aborted.stop();
    release();
  };
}

/** Told once, at once also by a parent that was cancelled before. @returns what takes the listener off */
export function followParent(
  parent: EventEmitter & { readonly cancelled: boolean },
  cancel: (details: string) => void,
): () => void {
  const onCancelled = once(() => cancel("Cancelled by parent call"));
  if (parent.cancelled) process.nextTick(onCancelled.run);
  else parent.on("cancelled", onCancelled.run);
  return () => {
    onCancelled.stop();
    parent.removeListener("cancelled", onCancelled.run);
  };
}

/** Runs once at most, and not at all after `stop()`. */
function once(work: () => void): { run(): void; stop(): void } {
  let isDue = true;
  const stop = (): void => {
    isDue = false;
  };
  const run = (): void => {
    if (!isDue) return;
    stop();
    work();
  };
  return { run, stop };
}
