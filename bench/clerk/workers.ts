import { setTimeout as sleep } from "node:timers/promises";

/** An operation that was acknowledged; instants by this process's monotonic clock. */
export interface Ack {
  readonly worker: number;
  readonly startedAtMs: number;
  readonly atMs: number;
}

/** Makes the operation number `turn` of a worker. */
export type Work = (worker: number, turn: number) => Promise<unknown>;

/** Workers that each make one operation after the other until they are stopped. */
export class Workers {
  #acks: Ack[] = [];
  #failures = 0;
  #isStopping = false;
  readonly #running: Promise<void>[];

  constructor(
    count: number,
    private readonly work: Work,
    private readonly thinkMs: number,
  ) {
    this.#running = Array.from({ length: count }, (_, worker) => this.#run(worker));
  }

  get acks(): readonly Ack[] {
    return this.#acks;
  }

  get failures(): number {
    return this.#failures;
  }

  /** Of each worker the first acknowledgement not before this instant; undefined for one that has none yet. */
  firstAcksFrom(instantMs: number): (number | undefined)[] {
    return this.#running.map(
      (_, worker) => this.#acks.find((ack) => ack.worker === worker && ack.atMs >= instantMs)?.atMs,
    );
  }

  /** The acknowledgements so far interest nobody any more. */
  forget(): void {
    this.#acks = [];
  }

  /** Starts no more operations and waits for those under way. */
  async finish(): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#running);
  }

  async #run(worker: number): Promise<void> {
    for (let turn = 0; !this.#isStopping; turn++) {
      const startedAtMs = performance.now();
      try {
        await this.work(worker, turn);
        this.#acks.push({ worker, startedAtMs, atMs: performance.now() });
      } catch {
        this.#failures += 1;
      }
      if (this.thinkMs > 0 && !this.#isStopping) await sleep(this.thinkMs);
    }
  }
}
