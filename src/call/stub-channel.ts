import { type ChannelInterface, connectivityState } from "@grpc/grpc-js";
import {
  type EndpointGate,
  type Incident,
  type InnerCall,
  type PickFailure,
  PickQueue,
  pickFailure,
  type Slot,
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
  lastSuccessAt = 0;
  readonly missing = "the stub's own channel";
  readonly address: string;
  #inFlight = 0;

  constructor(
    private readonly channel: ChannelInterface,
    readonly gate: EndpointGate,
    private readonly now: () => number,
  ) {
    this.address = channel.getTarget();
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  pick(): Slot | PickFailure {
    if (this.gate.admits()) return this;
    const inMs = Math.max(0, Math.round((this.gate.retryAt ?? this.now()) - this.now()));
    return pickFailure(
      "CIRCUIT_OPEN",
      `${this.address}: the circuit breaker is open; next probe in ${inMs} ms`,
    );
  }

  createCall(method: string, deadline: number, host: string | null | undefined): InnerCall {
    return this.channel.createCall(method, deadline, host, null, null);
  }

  callStarted(): void {
    this.#inFlight++;
  }

  callEnded(): void {
    this.#inFlight--;
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
