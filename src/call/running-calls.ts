/** A call as its channel sees it, and the links that chain it to the others. */
export interface RunningCall {
  previousRunning: RunningCall | null;
  nextRunning: RunningCall | null;
  /** Ends it now, because the channel is going away. */
  abort(details: string): void;
}

/**
 * The calls that run, chained through themselves. A `Set` here doubles the cost of a call: its discarded tables keep
 * one another alive, and with them calls long over, until the next full garbage collection.
 */
export class RunningCalls {
  #first: RunningCall | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(call: RunningCall): void {
    this.#size++;
    call.nextRunning = this.#first;
    if (this.#first !== null) this.#first.previousRunning = call;
    this.#first = call;
  }

  /** Takes out a call that is in. */
  remove(call: RunningCall): void {
    this.#size--;
    const { previousRunning: previous, nextRunning: next } = call;
    if (previous === null) this.#first = next;
    else previous.nextRunning = next;
    if (next !== null) next.previousRunning = previous;
    // A call that is over must not keep its neighbours alive.
    call.previousRunning = null;
    call.nextRunning = null;
  }

  /** Ends all that run now; they leave the list one by one, at once or later. */
  abortAll(details: string): void {
    const calls: RunningCall[] = [];
    for (let call = this.#first; call !== null; call = call.nextRunning) calls.push(call);
    for (const call of calls) call.abort(details);
  }
}
