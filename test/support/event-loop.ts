import { setImmediate as nextTurn } from "node:timers/promises";

/**
 * Lets the event loop go round `count` times, so that everything in this process that has something to read gets to
 * read it.
 */
export async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn++) await nextTurn();
}

/**
 * Goes round the event loop until `condition` holds, for facts that nobody announces (a process state in /proc, a
 * packet counter).
 *
 * @throws Error naming `what` when it does not hold within `withinMs` (default 5,000).
 */
export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
  withinMs = 5_000,
): Promise<void> {
  const giveUpAt = performance.now() + withinMs;
  while (!(await condition())) {
    if (performance.now() > giveUpAt) throw new Error(`${what} did not happen within ${withinMs} ms`);
    await nextTurn();
  }
}
