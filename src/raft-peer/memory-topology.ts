import { configInvalid } from "../core/index.js";

/** Who can send to whom. Partition and cuts are independent: a message passes where neither forbids it. */
export class MemoryTopology {
  #groups: ReadonlyMap<string, number> = new Map();
  readonly #cuts = new Map<string, Set<string>>();

  /** @throws ResilienceError `CONFIG_INVALID` when an address stands in two groups. */
  partition(groups: readonly (readonly string[])[]): void {
    const next = new Map<string, number>();
    for (const [index, group] of groups.entries()) {
      for (const address of group) {
        const other = next.get(address);
        if (other !== undefined && other !== index) {
          throw configInvalid(
            `partition: ${address} is in groups ${other} and ${index}; allowed: one group per address`,
          );
        }
        next.set(address, index);
      }
    }
    this.#groups = next;
  }

  heal(): void {
    this.#groups = new Map();
  }

  cut(from: string, to: string): void {
    const cuts = this.#cuts.get(from);
    if (cuts === undefined) this.#cuts.set(from, new Set([to]));
    else cuts.add(to);
  }

  mend(from: string, to: string): void {
    this.#cuts.get(from)?.delete(to);
  }

  /** Whether a message gets from one to the other now. */
  canPass(from: string, to: string): boolean {
    if (this.#cuts.get(from)?.has(to) === true) return false;
    const group = this.#groups.get(from);
    const other = this.#groups.get(to);
    return group === undefined || other === undefined || group === other;
  }
}
