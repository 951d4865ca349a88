import { type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import type { Clock } from "../core/index.js";
import {
  type Incident,
  type InnerCall,
  obstructed,
  type PickCall,
  type PickFailure,
  PickQueue,
  type Slot,
  type Standing,
} from "../pool/index.js";
import type { CallTransport } from "./transport.js";

/**
 * The transport of a stub hardened without credentials: its own channel, which picks, dials and reconnects by
 * itself. Retry, deadlines, throttle, certainty and one breaker work; a pool, a dial deadline and a second endpoint
 * do not.
 */
export class StubChannelTransport implements CallTransport, Slot {
  readonly queue = new PickQueue();
  readonly peerWhileQueued = null;
  readonly isPooled = false;
  readonly bytesRead = 0;
  readonly isLost = false;
  readonly isSessionOver = false;
  readonly missing = "the stub's own channel";
  readonly address: string;

  constructor(
    private readonly channel: ChannelInterface,
    readonly standing: Standing,
    private readonly clock: Clock,
  ) {
    this.address = channel.getTarget();
  }

  pick({ path }: PickCall): Slot | PickFailure {
    const { standing, clock } = this;
    if (standing.admits(path)) return this;
    const words = (next: string) => `${this.address}: the circuit breaker is open; ${next}`;
    return obstructed([standing.obstacle(path)], clock, words);
  }

  createCall(method: string, deadline: number, host: string | null | undefined): InnerCall {
    return this.channel.createCall(method, deadline, host, null, null);
  }

  callStarted(): void {
    this.standing.inFlight++;
    this.standing.picks++;
  }

  callEnded(): void {
    this.standing.inFlight--;
  }

  writeStarted(): void {}

  writeEnded(): void {}

  /** Whether the connection is silent cannot be seen from here. */
  noteTimeout(): Incident {
    return { isCounted: false };
  }

  noteLoss(): Incident {
    return { isCounted: false };
  }

  get connectivity(): connectivityState {
    return this.channel.getConnectivityState(false) ?? connectivityState.IDLE;
  }
}
