import type { Clock } from "../core/index.js";

/**
 * Gives work so long and no longer: it is told by its signal, and no longer waited for. Somebody awaits it, so it keeps the
 * process alive meanwhile.
 *
 * @throws whatever `work` throws, and an Error after `limitMs`
 */
export function bounded<T>(
  clock: Clock,
  limitMs: number,
  what: string,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const limit = new AbortController();
  return new Promise((resolve, reject) => {
    const giveUp = (): void => {
      const error = new Error(`${what} was not done within ${limitMs} ms`);
      reject(error);
      limit.abort(error);
    };
    const timer = clock.setTimer(giveUp, limitMs, { keepAlive: true });
    const done = work(limit.signal);
    done.then(resolve, reject);
    const cancel = (): void => timer.cancel();
    done.then(cancel, cancel);
  });
}
