import type { Clock, HostLookup } from "../../src/core/index.js";
import type { InnerChannelFactory } from "../../src/pool/index.js";
import type { FakeCall } from "./fake-call.js";
import { FakeChannel, type FakeChannelOwner } from "./fake-channel.js";

/** What a dial meets: READY at once, a refusal, no TCP connection, TCP but no SETTINGS. */
export type DialPlan = "ready" | "refuse" | "hang" | "silent";

/**
 * All dials and attempts of a channel under test. Every dial is READY at once unless planned otherwise; nothing
 * answers a call but the test.
 */
export class FakeNetwork implements FakeChannelOwner {
  /** Dials in order; each is a channel of its own. */
  readonly dials: FakeChannel[] = [];
  /** Attempts in order, health Checks left out. */
  readonly calls: FakeCall[] = [];
  holdsWrites = false;
  readonly #plans = new Map<string, DialPlan[]>();

  constructor(private readonly clock: Clock) {}

  /** The next dials of an address; the last plan holds for all that follow. */
  plan(address: string, ...plans: DialPlan[]): void {
    this.#plans.set(address, plans);
  }

  readonly makeChannel: InnerChannelFactory = (endpoint, address, credentials) => {
    const channel = new FakeChannel(endpoint, address, credentials, this.clock, this);
    channel.holdsWrites = this.holdsWrites;
    this.dials.push(channel);
    return channel;
  };

  /** No test may ask real DNS. */
  readonly lookup: HostLookup = (host) => Promise.reject(new Error(`no such host in this test: ${host}`));

  dialsOf(address: string): FakeChannel[] {
    return this.dials.filter((dial) => dial.endpoint.address === address);
  }

  /** The newest dial of an address. */
  last(address: string): FakeChannel {
    const dial = this.dialsOf(address).at(-1);
    if (dial === undefined) throw new Error(`${address} was never dialled`);
    return dial;
  }

  /** Addresses of the attempts, in order. */
  get route(): string[] {
    return this.calls.map((call) => call.peer);
  }

  /** The attempt of that number, from 0. */
  call(index: number): FakeCall {
    const call = this.calls[index];
    if (call === undefined) throw new Error(`there were ${this.calls.length} attempts, none at ${index}`);
    return call;
  }

  /** The newest attempt. */
  get current(): FakeCall {
    return this.call(this.calls.length - 1);
  }

  onCall(call: FakeCall): void {
    this.calls.push(call);
  }

  onDial(dialled: FakeChannel): void {
    const plans = this.#plans.get(dialled.endpoint.address) ?? [];
    const plan = (plans.length > 1 ? plans.shift() : plans[0]) ?? "ready";
    if (plan === "ready") void dialled.accept();
    else if (plan === "silent") void dialled.acceptTcp();
    else if (plan === "refuse") dialled.refuse();
  }
}
