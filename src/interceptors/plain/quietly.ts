import { saidBy } from "../../core/index.js";
import { isThenable } from "./when-ready.js";

/** Runs what must not change a call, whatever it does: the first throw or rejection is reported, others are not. */
export class Quietly {
  #hasWarned = false;

  /** @param what happened, for the warning */
  constructor(private readonly what: string) {}

  run<T>(work: () => T): T | undefined {
    try {
      const result = work();
      if (isThenable(result)) result.then(undefined, (error: unknown) => this.#warn(error));
      return result;
    } catch (error) {
      this.#warn(error);
      return undefined;
    }
  }

  #warn(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    process.emitWarning(`${this.what}: ${saidBy(error)}`, "HoldfastWarning");
  }
}
