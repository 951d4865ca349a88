import { type ComparisonResult, compare, enter, leave, warmUp } from "./measure/compare.js";
import type { BenchOptions } from "./options.js";
import type { Place } from "./stacks/index.js";
import type { EchoServers } from "./transport/echo-servers.js";
import { FakeChannel } from "./transport/fake-channel.js";

const FAKE_CALLS = 10_000;
const SOCKET_CALLS = 1_000;
/** Enough that the event loop's own turn, which the fake transport needs none of, is spread thin. */
const FAKE_IN_FLIGHT = 64;
const SOCKET_IN_FLIGHT = [1, 64, 256];
const SERVERS = 3;

/** The quiet measurement: all that runs is the client's own code. Through the event loop, so that timers run too. */
export async function overFake({
  stacks,
  rounds,
  calls = FAKE_CALLS,
}: BenchOptions): Promise<ComparisonResult[]> {
  const place: Place = { kind: "fake", makeChannel: (target) => new FakeChannel(target) };
  const load = { calls, inFlight: FAKE_IN_FLIGHT, defer: setImmediate };
  const contestants = enter(stacks, place);
  try {
    await warmUp(contestants, load.defer);
    return [
      await compare(contestants, { title: "fake transport that answers at once", place, load, rounds }),
    ];
  } finally {
    leave(contestants);
  }
}

/** The real thing: client CPU against servers in other processes. Calls begin as after an `await`. */
export async function overSockets(
  { stacks, rounds, calls = SOCKET_CALLS }: BenchOptions,
  servers: EchoServers,
): Promise<ComparisonResult[]> {
  const place: Place = { kind: "sockets", addresses: await servers.start(SERVERS) };
  const contestants = enter(stacks, place);
  const results: ComparisonResult[] = [];
  try {
    await warmUp(contestants, process.nextTick);
    for (const inFlight of SOCKET_IN_FLIGHT) {
      const load = { calls: Math.max(calls, 4 * inFlight), inFlight, defer: process.nextTick };
      const title = `${SERVERS} servers on loopback`;
      results.push(await compare(contestants, { title, place, load, rounds }));
    }
    return results;
  } finally {
    leave(contestants);
    servers.stop();
  }
}
