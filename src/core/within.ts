import type { Clock } from "./clock.js";

/**
 * What `work` gives, if it does so in time; a promise that never settles must not hold up everybody who waits for it.
 * @param what does the work, for the error
 * @throws whatever `work` throws, and an Error after `timeoutMs`
 */
export async function withinMs<T>(
  clock: Clock,
  timeoutMs: number,
  what: string,
  work: () => T | Promise<T>,
): Promise<T> {
  let giveUp: (error: Error) => void = () => {};
  const silence = new Promise<never>((_resolve, reject) => {
    giveUp = reject;
  });
  const timer = clock.setTimer(
    () => giveUp(new Error(`${what} did not answer within ${timeoutMs} ms`)),
    timeoutMs,
  );
  try {
    return await Promise.race([work(), silence]);
  } finally {
    timer.cancel();
  }
}
