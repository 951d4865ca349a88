import { status as Status } from "@grpc/grpc-js";
import type { InnerChannelFactory } from "../../src/pool/index.js";
import type { FakeCall } from "../../test/support/fake-call.js";
import { FakeChannel, type FakeChannelOwner } from "../../test/support/fake-channel.js";
import type { SimClock } from "../../test/support/sim-clock.js";

/** How long a server takes to fail a call. */
const ANSWER_MS = 5;

/** Servers that accept every connection and fail every call: a total outage behind healthy ports. */
export class FailingServers implements FakeChannelOwner {
  /** Instant of every attempt that reached a server. */
  readonly attemptsAtMs: number[] = [];

  constructor(private readonly clock: SimClock) {}

  readonly makeChannel: InnerChannelFactory = (endpoint, address, credentials) =>
    new FakeChannel(endpoint, address, credentials, this.clock, this);

  onDial(channel: FakeChannel): void {
    void channel.accept();
  }

  onCall(call: FakeCall): void {
    this.attemptsAtMs.push(this.clock.now());
    this.clock.setTimer(() => call.fail(Status.UNAVAILABLE, "out of order"), ANSWER_MS);
  }
}
