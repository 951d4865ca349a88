import type { Clock, Timer } from "../../src/core/index.js";

interface Entry {
  readonly at: number;
  readonly order: number;
  callback: (() => void) | null;
}

/**
 * A manual clock for long simulations: timers in a heap, and after each one the promises it settled, nothing else. Same
 * start, same timers, same order.
 */
export class SimClock implements Clock {
  #now = 0;
  #order = 0;
  readonly #heap: Entry[] = [];

  now(): number {
    return this.#now;
  }

  epoch(): number {
    return 1_700_000_000_000 + this.#now;
  }

  setTimer(callback: () => void, delayMs: number): Timer {
    const entry: Entry = { at: this.#now + Math.max(0, delayMs), order: this.#order++, callback };
    this.#push(entry);
    return {
      cancel: () => {
        entry.callback = null;
      },
    };
  }

  /** Timers fired so far. */
  fired = 0;

  /** Runs everything due within `ms`, or until `isOver` says so after an event. */
  async run(ms: number, isOver: () => boolean = () => false): Promise<void> {
    const end = this.#now + ms;
    await settled();
    while (!isOver()) {
      const next = this.#heap[0];
      if (next === undefined || next.at > end) break;
      this.#pop();
      if (next.callback === null) continue;
      this.#now = next.at;
      this.fired += 1;
      next.callback();
      await settled();
    }
    if (!isOver()) this.#now = end;
  }

  #push(entry: Entry): void {
    const heap = this.#heap;
    let at = heap.push(entry) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(entry, heap[parent] as Entry)) break;
      heap[at] = heap[parent] as Entry;
      at = parent;
    }
    heap[at] = entry;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop() as Entry;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Entry, heap[child] as Entry)) child += 1;
      if (!isBefore(heap[child] as Entry, last)) break;
      heap[at] = heap[child] as Entry;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

/** All promises that can settle without a timer have. */
function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
