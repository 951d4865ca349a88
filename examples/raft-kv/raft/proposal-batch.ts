import type { Clock, Timer } from "holdfast";

/** Commands proposed in one turn of the event loop, written together so that they share one sync. */
export class ProposalBatch {
  readonly #clock: Clock;
  readonly #onDue: () => void;
  #commands: Uint8Array[] = [];
  #timer: Timer | null = null;

  constructor(clock: Clock, onDue: () => void) {
    this.#clock = clock;
    this.#onDue = onDue;
  }

  /** @returns how many there are now */
  add(command: Uint8Array): number {
    this.#timer ??= this.#clock.setTimer(this.#onDue, 0, { keepAlive: true });
    return this.#commands.push(command);
  }

  /** Empties it; nothing is due any more. */
  take(): readonly Uint8Array[] {
    const commands = this.#commands;
    this.#commands = [];
    this.#timer?.cancel();
    this.#timer = null;
    return commands;
  }
}
