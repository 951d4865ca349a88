/** Deadlines are set back once they are this high, before their fractions get lost in them. */
const MAX_REACHED = 1_024;

/**
 * Earliest deadline first: who is taken comes again one period later, so that each is taken as often as its period is
 * short, and evenly spread (R123). Entries are known by index. A turn costs O(log n) and allocates nothing.
 */
export class EdfSchedule {
  /** A binary heap of indexes by deadline; behind `#size`, those passed over in this turn, the last one first. */
  readonly #heap: Uint32Array;
  readonly #deadlines: Float64Array;
  #periods: Float64Array;
  #size: number;
  /** Where the schedule stands: the deadline of the entry taken last. In an array, as a field would be boxed anew. */
  readonly #reached = new Float64Array(1);

  /**
   * @param periods one per entry, above 0
   * @param phases share of its period after which an entry is first due, 0 to 1
   */
  constructor(periods: Float64Array, phases: Float64Array) {
    this.#periods = periods;
    this.#size = periods.length;
    this.#deadlines = new Float64Array(this.#size);
    this.#heap = new Uint32Array(this.#size);
    for (let index = 0; index < this.#size; index++) {
      this.#deadlines[index] = (phases[index] as number) * (periods[index] as number);
      this.#heap[index] = index;
    }
    this.#heapify();
  }

  /** The entry that is due next, leaving out those passed over; -1 when there is no other. */
  get next(): number {
    return this.#size === 0 ? -1 : (this.#heap[0] as number);
  }

  /** The next one cannot be used this time. */
  passOver(): void {
    const heap = this.#heap;
    const index = heap[0] as number;
    const last = --this.#size;
    heap[0] = heap[last] as number;
    heap[last] = index;
    this.#siftDown(0);
  }

  /** Uses the next one. Those passed over have lost this turn, or they would claim all at once what they missed. */
  take(): void {
    const deadlines = this.#deadlines;
    const periods = this.#periods;
    const index = this.#heap[0] as number;
    const reached = deadlines[index] as number;
    this.#reached[0] = reached;
    deadlines[index] = reached + (periods[index] as number);
    this.#siftDown(0);
    while (this.#size < this.#heap.length) {
      const passed = this.#heap[this.#size] as number;
      const due = (deadlines[passed] as number) + (periods[passed] as number);
      deadlines[passed] = Math.max(due, reached);
      this.#siftUp(this.#size++);
    }
    if (reached > MAX_REACHED) this.#setBack();
  }

  /** Ends a turn in which nobody could be used: all keep their places. */
  giveUp(): void {
    // Taken out one after the other they stand in falling order, and in rising order they are a heap.
    if (this.#size === 0) {
      this.#heap.reverse();
      this.#size = this.#heap.length;
    }
    while (this.#size < this.#heap.length) this.#siftUp(this.#size++);
  }

  /** Share of its period that an entry still has to wait, 0 to 1. */
  phase(index: number): number {
    const wait = (this.#deadlines[index] as number) - (this.#reached[0] as number);
    return Math.min(1, Math.max(0, wait / (this.#periods[index] as number)));
  }

  /** Changes the periods; each entry keeps its phase, so that nobody begins anew. */
  setPeriods(periods: Float64Array): void {
    const deadlines = this.#deadlines;
    for (let index = 0; index < deadlines.length; index++)
      deadlines[index] = this.phase(index) * (periods[index] as number);
    this.#reached[0] = 0;
    this.#periods = periods;
    this.#heapify();
  }

  #setBack(): void {
    const deadlines = this.#deadlines;
    const reached = this.#reached[0] as number;
    for (let index = 0; index < deadlines.length; index++)
      deadlines[index] = (deadlines[index] as number) - reached;
    this.#reached[0] = 0;
  }

  #heapify(): void {
    for (let at = (this.#size >> 1) - 1; at >= 0; at--) this.#siftDown(at);
  }

  #siftDown(from: number): void {
    const heap = this.#heap;
    const deadlines = this.#deadlines;
    const size = this.#size;
    const index = heap[from] as number;
    const deadline = deadlines[index] as number;
    let at = from;
    for (let child = 2 * at + 1; child < size; child = 2 * at + 1) {
      const right = child + 1;
      if (
        right < size &&
        (deadlines[heap[right] as number] as number) < (deadlines[heap[child] as number] as number)
      )
        child = right;
      if ((deadlines[heap[child] as number] as number) >= deadline) break;
      heap[at] = heap[child] as number;
      at = child;
    }
    heap[at] = index;
  }

  #siftUp(from: number): void {
    const heap = this.#heap;
    const deadlines = this.#deadlines;
    const index = heap[from] as number;
    const deadline = deadlines[index] as number;
    let at = from;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if ((deadlines[heap[parent] as number] as number) <= deadline) break;
      heap[at] = heap[parent] as number;
      at = parent;
    }
    heap[at] = index;
  }
}
