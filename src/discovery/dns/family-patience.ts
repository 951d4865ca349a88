import type { Clock } from "../../core/index.js";
import type { AskFamily } from "./ask-family.js";

/**
 * How long an answer waits for the other family. The "resolution delay" of RFC 8305 section 3 is 50 ms, as a user waits
 * there; here it is longer, since what is missing in an answer is missing until the next look-up.
 */
const RESOLUTION_DELAY_MS = 200;

/**
 * How long the look-ups of one target wait for a family while the other has answered: a short time, and none where the
 * family answers no host at all, as with name servers and firewalls that drop questions for AAAA (RFC 4074). The hosts of a
 * service share it, or each would find out anew. Its timers do not keep the process alive.
 */
export class FamilyPatience {
  /** When a family last answered in time, monotonic ms. */
  readonly #answeredAt = new Map<AskFamily, number>();
  readonly #silent = new Set<AskFamily>();
  readonly #waits = new Set<() => void>();
  #isCancelled = false;

  constructor(private readonly clock: Pick<Clock, "now" | "setTimer">) {}

  isSilent(family: AskFamily): boolean {
    return this.#silent.has(family);
  }

  /** @param since when the other family answered; null where it has not */
  isInTime(since: number | null): boolean {
    return since === null || this.clock.now() - since < RESOLUTION_DELAY_MS;
  }

  /** The family answered some host in time, if only that it failed. */
  noteAnswered(family: AskFamily): void {
    this.#silent.delete(family);
    this.#answeredAt.set(family, this.clock.now());
  }

  /** A host asked at `askedAt` was waited for in vain. A family that has answered another one since is not silent. */
  noteLate(family: AskFamily, askedAt: number): void {
    const answeredAt = this.#answeredAt.get(family) ?? Number.NEGATIVE_INFINITY;
    if (answeredAt < askedAt) this.#silent.add(family);
  }

  /** Comes back when the answers are there, or it has lasted too long. */
  async wait(answers: Promise<unknown>): Promise<void> {
    if (this.#isCancelled) return;
    await new Promise<void>((resolve) => {
      const end = () => {
        timer.cancel();
        this.#waits.delete(end);
        resolve();
      };
      const timer = this.clock.setTimer(end, RESOLUTION_DELAY_MS);
      this.#waits.add(end);
      void answers.then(end);
    });
  }

  /** Ends every wait, for good. */
  cancel(): void {
    this.#isCancelled = true;
    for (const end of [...this.#waits]) end();
  }
}
