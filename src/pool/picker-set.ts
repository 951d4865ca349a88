import type { Random } from "../core/index.js";
import type { Connection } from "./connection.js";
import { PICKER_POLICIES, type Picker, type PickerPolicy, type PickFilter } from "./pickers/index.js";
import type { Subchannel } from "./subchannel.js";

/** The snapshots that picks are made from, swapped whole when an endpoint changes: those in good standing first. */
export class PickerSet {
  #healthy: Picker<Subchannel> | null = null;
  #suspects: Picker<Subchannel> | null = null;
  /** Something better than a suspect is on its way. */
  #isHopeful = false;
  readonly #usable: PickFilter<Subchannel>;

  constructor(
    private readonly policy: PickerPolicy,
    private readonly random: Random,
    maxStreamsPerConnection: number,
  ) {
    this.#usable = {
      accepts: ({ connection, gate }) =>
        connection !== null && connection.inFlight < maxStreamsPerConnection && gate.admits(),
    };
  }

  swap(subchannels: readonly Subchannel[]): void {
    const ready = subchannels.filter(({ word }) => word === "READY");
    const healthy = ready.filter(({ isSuspect }) => !isSuspect);
    this.#healthy =
      healthy.length === 0 ? null : this.policy.create(healthy, this.#healthy, this.random.next());
    // Where all are in doubt, the one that answered last is the best guess.
    const suspects = ready.filter(({ isSuspect }) => isSuspect).sort(byLastSuccess);
    this.#suspects = suspects.length === 0 ? null : PICKER_POLICIES.pick_first.create(suspects, null, 0);
    this.#isHopeful = subchannels.some(({ aggregateWord }) => aggregateWord === "CONNECTING");
  }

  /**
   * Free of allocations where the first choice is usable.
   * @param tried endpoints to avoid while another one is usable
   */
  choose(tried: PickFilter<Subchannel> | null): Connection | null {
    const chosen = this.#chooseFrom(this.#healthy, tried);
    if (chosen !== null || this.#isHopeful) return chosen;
    return this.#chooseFrom(this.#suspects, tried);
  }

  #chooseFrom(picker: Picker<Subchannel> | null, tried: PickFilter<Subchannel> | null): Connection | null {
    if (picker === null) return null;
    const untried = tried === null ? null : picker.pick(both(this.#usable, tried));
    return (untried ?? picker.pick(this.#usable))?.connection ?? null;
  }
}

function byLastSuccess(a: Subchannel, b: Subchannel): number {
  return (b.connection?.lastSuccessAt ?? 0) - (a.connection?.lastSuccessAt ?? 0);
}

function both(a: PickFilter<Subchannel>, b: PickFilter<Subchannel>): PickFilter<Subchannel> {
  return { accepts: (candidate) => a.accepts(candidate) && b.accepts(candidate) };
}
