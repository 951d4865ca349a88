import { type InterceptingListener, Metadata, status as Status } from "@grpc/grpc-js";
import { type ChannelOptions, createChannel, type ResilientChannel } from "../../src/call/index.js";
import type { Random } from "../../src/core/index.js";
import { ThrottleRegistry } from "../../src/retry/index.js";
import { SeededRandom } from "../../test/support/seeded-random.js";
import { SimClock } from "../../test/support/sim-clock.js";
import { FailingServers } from "./failing-servers.js";

export interface OutageSetup {
  readonly clients: number;
  readonly callsPerClient: number;
  /** Each client makes a call so often, at a random instant within; 0 for all of them at once. */
  readonly callEveryMs: number;
  /** Servers of the target. */
  readonly servers: number;
  readonly seed: number;
  /** What differs from the defaults of a channel. */
  readonly options: Partial<ChannelOptions>;
}

export interface OutageLoad {
  /** Calls that the applications made. */
  readonly calls: number;
  /** Attempts that reached a server. */
  readonly attempts: number;
  /** Attempts per call: 1 is what clients without retries would send. */
  readonly load: number;
  /** The most attempts within any 100 ms: what the servers have to bear, and what jitter spreads. */
  readonly peakPer100Ms: number;
}

const METHOD = "holdfast.bench.Echo/Unary";
const REQUEST = Buffer.from("x");
const PEAK_WINDOW_MS = 100;
/** Longer than the last call with all its waits can last. */
const LASTS_MS = 120_000;

/**
 * Clients of their own, each with its own channel, connections and throttle, call servers that fail everything. Time is
 * simulated and chance seeded: the same setup gives the same numbers.
 */
export async function simulateOutage(setup: OutageSetup): Promise<OutageLoad> {
  const { clients, callsPerClient, callEveryMs, seed } = setup;
  const clock = new SimClock();
  const random = new SeededRandom(seed);
  const servers = new FailingServers(clock);
  const channels = Array.from({ length: clients }, () => openChannel(setup, clock, random, servers));
  let ended = 0;
  for (const channel of channels) {
    for (let made = 0; made < callsPerClient; made++) {
      const atMs = (made + random.next()) * callEveryMs;
      clock.setTimer(() => call(channel, () => ended++), atMs);
    }
  }
  const calls = clients * callsPerClient;
  await clock.run(LASTS_MS, () => ended === calls);
  for (const channel of channels) channel.destroy(new Error("the simulation is over"));
  if (ended < calls) throw new Error(`${calls - ended} of ${calls} calls did not end within ${LASTS_MS} ms`);
  const attempts = servers.attemptsAtMs.length;
  return { calls, attempts, load: attempts / calls, peakPer100Ms: peak(servers.attemptsAtMs) };
}

function openChannel(
  setup: OutageSetup,
  clock: SimClock,
  random: Random,
  servers: FailingServers,
): ResilientChannel {
  const addresses = Array.from({ length: setup.servers }, (_, at) => `10.0.0.${at + 1}:1`);
  const all: ChannelOptions = {
    insecure: true,
    methods: { [METHOD]: { idempotent: true } },
    ...setup.options,
  };
  // Clients are processes of their own: none shares another's throttle.
  const throttles = new ThrottleRegistry();
  return createChannel(`static:///${addresses.join(",")}`, all, {
    clock,
    random,
    env: {},
    throttles,
    makeChannel: servers.makeChannel,
  });
}

/** A unary call as grpc-js's `Client` makes it. */
function call(channel: ResilientChannel, onEnd: () => void): void {
  const started = channel.createCall(`/${METHOD}`, Number.POSITIVE_INFINITY, null, null, 0);
  const listener: InterceptingListener = {
    onReceiveMetadata: () => {},
    onReceiveMessage: () => {},
    onReceiveStatus({ code }) {
      if (code === Status.OK) throw new Error("a server that fails everything has answered");
      onEnd();
    },
  };
  started.start(new Metadata(), listener);
  started.sendMessageWithContext({}, REQUEST);
  started.halfClose();
  started.startRead();
}

/** Most instants within any window; they come in order. */
function peak(instants: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [at, instant] of instants.entries()) {
    while (instant - (instants[first] as number) >= PEAK_WINDOW_MS) first++;
    most = Math.max(most, at - first + 1);
  }
  return most;
}
