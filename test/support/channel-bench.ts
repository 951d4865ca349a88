import type { ChannelOptions, ResilientChannel } from "../../src/call/index.js";
import { createChannel } from "../../src/call/index.js";
import type { ChannelEvent, HostLookup, Random } from "../../src/core/index.js";
import { ThrottleRegistry } from "../../src/retry/index.js";
import { FakeNetwork } from "./fake-network.js";
import { ManualClock, settle } from "./manual-clock.js";
import { fixedRandom } from "./seeded-random.js";
import { type TestCall, type TestCallOptions, unary } from "./test-call.js";

/** Addresses of up to three endpoints. */
export const A = "10.0.0.1:1";
export const B = "10.0.0.2:1";
export const C = "10.0.0.3:1";

export interface BenchSetup {
  /** Default: A alone. */
  readonly addresses?: readonly string[];
  /** Instead of addresses, with the look-up that it needs. */
  readonly target?: string;
  readonly lookup?: HostLookup;
  /** Default: 0.5, which means no jitter. */
  readonly random?: Random;
  readonly env?: Readonly<Record<string, string>>;
  readonly throttles?: ThrottleRegistry;
}

/** A channel over a network that the test owns, as is its clock and its chance. */
export class ChannelBench {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork(this.clock);
  readonly channel: ResilientChannel;
  readonly events: ChannelEvent[] = [];

  constructor(options: Partial<ChannelOptions> = {}, setup: BenchSetup = {}) {
    const { addresses = [A], random = fixedRandom(0.5), env = {} } = setup;
    const { throttles = new ThrottleRegistry(), lookup = this.network.lookup } = setup;
    this.channel = createChannel(
      setup.target ?? `static:///${addresses.join(",")}`,
      { insecure: true, ...options },
      {
        clock: this.clock,
        random,
        env,
        throttles,
        lookup,
        makeChannel: this.network.makeChannel,
      },
    );
    this.channel.onEvent((event) => void this.events.push(event));
  }

  /** Lets everything that is due now happen. */
  settle(): Promise<void> {
    return settle();
  }

  advance(ms: number): Promise<void> {
    return this.clock.advance(ms);
  }

  /** Connects, so that a call goes out at once. */
  async ready(): Promise<this> {
    this.channel.getConnectivityState(true);
    await settle();
    return this;
  }

  /** A unary call that had time to go as far as it can. */
  async unary(options: TestCallOptions & { readonly request?: string } = {}): Promise<TestCall> {
    const call = unary(this.channel, options);
    await settle();
    return call;
  }

  /** Events of one type, in order. */
  eventsOf<T extends ChannelEvent["type"]>(type: T): Extract<ChannelEvent, { type: T }>[] {
    return this.events.filter((event): event is Extract<ChannelEvent, { type: T }> => event.type === type);
  }

  /** What must be zero once nothing runs any more. */
  get leftovers(): Record<string, number> {
    const { callsInFlight, callsQueued, retryBufferBytes } = this.channel.stats();
    return {
      callsInFlight,
      callsQueued,
      retryBufferBytes,
      keepAliveTimers: this.clock.keepAliveTimers,
      innerCalls: this.network.calls.filter((call) => !call.isEnded).length,
    };
  }
}

/** What `leftovers` is when nothing was left. */
export const NOTHING_LEFT = {
  callsInFlight: 0,
  callsQueued: 0,
  retryBufferBytes: 0,
  keepAliveTimers: 0,
  innerCalls: 0,
};

/** A connected bench. */
export function readyBench(
  options: Partial<ChannelOptions> = {},
  setup: BenchSetup = {},
): Promise<ChannelBench> {
  return new ChannelBench(options, setup).ready();
}

/** Every method of the test service may be repeated. */
export const IDEMPOTENT: Partial<ChannelOptions> = { methods: { "test.Echo": { idempotent: true } } };
