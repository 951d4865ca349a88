import { AsyncResource } from "node:async_hooks";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import { channelOptionsSchema } from "../../src/call/channel-options.js";
import { FailureCounts } from "../../src/call/failure-counts.js";
import { PoolBackend } from "../../src/call/pool-backend.js";
import { type ChannelEvent, type ConnectivityWord, EventHub, type HostLookup } from "../../src/core/index.js";
import { parseTargets, type ResolvedTarget } from "../../src/discovery/index.js";
import type { Compression, EndpointPool, InnerChannelFactory, Slot } from "../../src/pool/index.js";
import { noChannel } from "../discovery/no-channel.js";
import type { FakeChannel } from "../support/fake-channel.js";
import { FakeNetwork } from "../support/fake-network.js";
import { ManualClock, settle } from "../support/manual-clock.js";
import { fixedRandom } from "../support/seeded-random.js";

/** Addresses of up to three endpoints. */
export const A = "10.0.0.1:1";
export const B = "10.0.0.2:1";
export const C = "10.0.0.3:1";

/** A pool backend over a network that the test owns, without calls: what they would pick is asked for directly. */
export class LanesBench {
  readonly clock = new ManualClock();
  readonly network = new FakeNetwork(this.clock);
  readonly backend: PoolBackend;
  readonly words: ConnectivityWord[] = [];
  readonly events: ChannelEvent[] = [];
  /** Compression and inner channel of each dial, in order. */
  readonly dials: { readonly compression: Compression | undefined; readonly channel: FakeChannel }[] = [];

  constructor(options: object = {}, target = `static:///${A}`, lookup: HostLookup = this.network.lookup) {
    const parsed = parseTargets(target);
    if (!parsed.ok) throw new Error(parsed.problems.join("; "));
    const events = new EventHub();
    events.subscribe((event) => void this.events.push(event));
    this.backend = new PoolBackend(
      parsed.targets as readonly ResolvedTarget[],
      parsed.canonical,
      channelOptionsSchema.parse({ insecure: true, ...options }),
      {
        clock: this.clock,
        random: fixedRandom(0.5),
        events,
        lookup,
        failures: new FailureCounts(),
        env: {},
        openChannel: noChannel,
        credentials: credentials.createInsecure(),
        makeChannel: this.#makeChannel,
        context: new AsyncResource("test"),
        onState: (word) => {
          if (this.words.at(-1) !== word) this.words.push(word);
        },
      },
    );
  }

  /** Connected, as a first call would have it. */
  async awake(): Promise<this> {
    this.backend.wake();
    await settle();
    return this;
  }

  /** Connected in a second lane, too. */
  async withLane(compression: Compression): Promise<EndpointPool> {
    await this.awake();
    const lane = this.backend.transportFor(compression, false);
    await settle();
    return lane;
  }

  /** The dials with one compression. */
  dialled(compression: Compression): FakeChannel[] {
    return this.dials.filter((dial) => dial.compression === compression).map(({ channel }) => channel);
  }

  last(compression: Compression): FakeChannel {
    const channel = this.dialled(compression).at(-1);
    if (channel === undefined) throw new Error(`nothing was dialled with ${compression}`);
    return channel;
  }

  /** What a dial had as compression, in order. */
  get compressions(): (Compression | undefined)[] {
    return this.dials.map(({ compression }) => compression);
  }

  get openSockets(): number {
    return this.network.dials.filter((dial) => !dial.socket.destroyed).length;
  }

  readonly #makeChannel: InnerChannelFactory = (
    endpoint,
    address,
    given: ChannelCredentials,
    compression,
  ) => {
    const made = this.network.makeChannel(endpoint, address, given);
    this.dials.push({ compression, channel: made as FakeChannel });
    return made;
  };
}

const CALL = { path: "/test.Echo/Say", hashKey: null, now: 0, header: () => null };

/** What a call would get: a slot to run on. */
export function slotOf(lane: Pick<EndpointPool, "pick">): Slot {
  const result = lane.pick(CALL, null, false);
  if (result === "queue" || "kind" in result) throw new Error(`no slot: ${JSON.stringify(result)}`);
  return result;
}

/** Where a call would go: an address, "queue", or the reason of a failure. */
export function pickedBy(lane: Pick<EndpointPool, "pick">): string {
  const result = lane.pick(CALL, null, false);
  if (result === "queue") return "queue";
  return "kind" in result ? result.reason : result.address;
}
