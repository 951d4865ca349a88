import { type Incident, openGate, type Slot, Standing } from "../../src/pool/index.js";
import type { FakeCall } from "../support/fake-call.js";

/** A place for one attempt, that counts what happens on it. */
export class FakeSlot implements Slot {
  readonly address = "10.0.0.1:1";
  readonly standing = new Standing({ gate: openGate });
  readonly bytesRead = 0;
  readonly isLost = false;
  readonly isSessionOver = false;
  readonly isPooled: boolean;
  inFlight = 0;
  writes = 0;
  nextCall: FakeCall | null = null;

  constructor(readonly peerWhileQueued: string | null) {
    this.isPooled = peerWhileQueued !== null;
  }

  createCall(): FakeCall {
    if (this.nextCall === null) throw new Error("the connection is closed");
    return this.nextCall;
  }

  callStarted(): void {
    this.inFlight++;
  }

  callEnded(): void {
    this.inFlight--;
  }

  writeStarted(): void {
    this.writes++;
  }

  writeEnded(): void {
    this.writes--;
  }

  noteTimeout(): Incident {
    return { isCounted: false };
  }

  noteLoss(): Incident {
    return { isCounted: false };
  }
}
