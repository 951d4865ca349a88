import type { Random } from "../../src/core/index.js";
import { MemoryDisk } from "../support/memory-disk.js";

/** Thrown in the middle of a write by a disk whose power fails. */
export class PowerLoss extends Error {}

/** A disk whose power can fail between a write and its sync, which is where torn records come from. */
export class SimDisk extends MemoryDisk {
  #failsAtSync = false;

  /** The next sync does not happen. */
  failAtSync(): void {
    this.#failsAtSync = true;
  }

  override sync(): void {
    if (this.#failsAtSync) throw new PowerLoss("the power failed before the sync");
    super.sync();
  }

  override crash(random: Random): SimDisk {
    return new SimDisk(super.crash(random).read());
  }
}

/** Says that it has synced, and has not. */
export class LyingDisk extends SimDisk {
  override sync(): void {}

  override crash(random: Random): LyingDisk {
    return new LyingDisk(super.crash(random).read());
  }
}
