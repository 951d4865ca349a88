import { type ComparisonResult, compare, enter, leave, warmUp } from "./measure/compare.js";
import type { BenchOptions } from "./options.js";
import type { Place } from "./stacks/index.js";
import type { EchoServers } from "./transport/echo-servers.js";
import { FakeChannel } from "./transport/fake-channel.js";

const FAKE_CALLS = 10_000;
const SOCKET_CALLS = 1_000;
/** Enough to spread one turn of the event loop thin, which costs as much as a third of a bare call. */
const FAKE_IN_FLIGHT = 64;
const SOCKET_IN_FLIGHT = [1, 64, 256];
const SERVERS = 3;

/** The quiet measurement: all that runs is the client's own code. */
export async function* overFake(options: BenchOptions): AsyncGenerator<ComparisonResult> {
  const { stacks, rounds, limitMs, calls = FAKE_CALLS } = options;
  const place: Place = { kind: "fake", makeChannel: (target) => new FakeChannel(target) };
  // Through the event loop, because by ticks alone no timer would ever run.
  const load = { calls, inFlight: FAKE_IN_FLIGHT, defer: setImmediate };
  const contestants = enter(stacks, place);
  try {
    await warmUp(contestants, load.defer);
    yield await compare(contestants, {
      title: "Fake transport that answers at once",
      place,
      load,
      rounds,
      limitMs,
    });
  } finally {
    leave(contestants);
  }
}

/** The real thing: client CPU against servers in processes of their own. Calls begin as after an `await`. */
export async function* overSockets(
  options: BenchOptions,
  servers: EchoServers,
): AsyncGenerator<ComparisonResult> {
  const { stacks, rounds, limitMs, calls = SOCKET_CALLS } = options;
  const place: Place = { kind: "sockets", addresses: await servers.start(SERVERS) };
  const title = `${SERVERS} servers on loopback`;
  const contestants = enter(stacks, place);
  try {
    await warmUp(contestants, process.nextTick);
    for (const inFlight of SOCKET_IN_FLIGHT) {
      // Several times the calls in flight, or a slice would be mostly its own beginning and end.
      const load = { calls: Math.max(calls, 8 * inFlight), inFlight, defer: process.nextTick };
      yield await compare(contestants, { title, place, load, rounds, limitMs });
    }
  } finally {
    leave(contestants);
    servers.stop();
  }
}
