/** A call that was started in this turn. */
export interface StartedCall {
  begin(): void;
  /** Of node's `AsyncResource`. */
  runInAsyncScope(fn: () => void, thisArg: StartedCall): void;
}

/**
 * Begins calls at the end of the turn in which they were started, each in its own async context. One tick serves all
 * calls of a turn: ticks of their own would cost each of them as much as its request.
 */
export class StartQueue {
  #started: StartedCall[] = [];
  #spare: StartedCall[] = [];

  add(call: StartedCall): void {
    this.#started.push(call);
    if (this.#started.length === 1) process.nextTick(beginAll, this);
  }

  beginAll(): void {
    const started = this.#started;
    // Whoever is started from now on begins in a later tick.
    this.#started = this.#spare;
    for (const call of started) call.runInAsyncScope(call.begin, call);
    started.length = 0;
    this.#spare = started;
  }
}

function beginAll(queue: StartQueue): void {
  queue.beginAll();
}
