import { type ComparisonResult, type Contestant, compare, enter, leave, warmUp } from "../measure/compare.js";
import type { Load } from "../measure/drive.js";
import type { BenchOptions } from "../options.js";
import { callVerdicts } from "../report/call-verdicts.js";
import type { Section } from "../report/section.js";
import { table } from "../report/table.js";
import { type Place, STREAM_KINDS } from "../stacks/index.js";
import { FakeChannel } from "../transport/fake-channel.js";
import type { ServerProcesses } from "../transport/server-processes.js";

const FAKE_CALLS = 5_000;
/** Enough to spread one turn of the event loop thin, which costs as much as a third of a bare call. */
const FAKE_IN_FLIGHT = 64;
/** Calls per slice by calls in flight: one at a time takes longest, and 256 need several times their number. */
const SOCKET_CALLS = new Map([
  [1, 250],
  [64, 512],
  [256, 1_024],
]);
const SERVERS = 3;
const STREAMS = 6;
const STREAMS_IN_FLIGHT = 3;
const MESSAGES_PER_STREAM = 1_000;
const STREAM_TITLES = {
  serverStreaming: "Server streaming",
  clientStreaming: "Client streaming",
  bidi: "Bidirectional streaming",
} as const;

/** Per client, and each stack has two: compilation takes seconds to settle, over 10,000 calls of a stack. */
const WARM_UP_CALLS = 6_000;
const WARM_UP_STREAMS = 12;

/** The quiet measurement: all that runs is the client's own code. */
export async function* overFake(options: BenchOptions): AsyncGenerator<Section> {
  const { rounds, limitMs, calls = FAKE_CALLS } = options;
  const place: Place = { kind: "fake", makeChannel: (target) => new FakeChannel(target) };
  // Through the event loop, because by ticks alone no timer would ever run.
  const load: Load = { calls, inFlight: FAKE_IN_FLIGHT, defer: setImmediate };
  const contestants = enter(options.stacks, place);
  try {
    await warmUp(contestants, "unary", { ...load, calls: WARM_UP_CALLS });
    const title = "Fake transport that answers at once";
    const about = { title, place, kind: "unary", messagesPerCall: 1, rounds, limitMs } as const;
    yield section("fake", await compare(contestants, { ...about, load }));
  } finally {
    await leave(contestants);
  }
}

/** The real thing: client CPU against servers in processes of their own. Calls begin as after an `await`. */
export async function* overSockets(options: BenchOptions, servers: ServerProcesses): AsyncGenerator<Section> {
  const { rounds, limitMs } = options;
  const place = await echoPlace(servers);
  const title = `${SERVERS} servers on loopback`;
  const about = { title, place, kind: "unary", messagesPerCall: 1, rounds, limitMs } as const;
  yield* onServers(servers, enter(options.stacks, place), async function* (contestants) {
    await warmUp(contestants, "unary", { calls: WARM_UP_CALLS, inFlight: 64, defer: process.nextTick });
    for (const [inFlight, usual] of SOCKET_CALLS) {
      // Several times the calls in flight, or a slice would be mostly its own beginning and end.
      const calls = Math.max(options.calls ?? usual, 4 * inFlight);
      const load = { calls, inFlight, defer: process.nextTick };
      yield section("sockets", await compare(contestants, { ...about, load }));
    }
  });
}

/** Long streams of small messages over the same servers: what a message costs. */
export async function* overStreams(options: BenchOptions, servers: ServerProcesses): AsyncGenerator<Section> {
  const { rounds, limitMs } = options;
  const place = await echoPlace(servers);
  const stacks = options.stacks.filter(({ hasStreams }) => hasStreams);
  const load: Load = { calls: STREAMS, inFlight: STREAMS_IN_FLIGHT, defer: process.nextTick };
  const about = { place, messagesPerCall: MESSAGES_PER_STREAM, rounds, limitMs, load };
  yield* onServers(servers, enter(stacks, place), async function* (contestants) {
    for (const kind of STREAM_KINDS) await warmUp(contestants, kind, { ...load, calls: WARM_UP_STREAMS });
    for (const kind of STREAM_KINDS) {
      const title = `${STREAM_TITLES[kind]}, ${SERVERS} servers on loopback`;
      yield section("streams", await compare(contestants, { ...about, kind, title }));
    }
  });
}

async function echoPlace(servers: ServerProcesses): Promise<Place> {
  const started = await servers.start("echo-server.mjs", SERVERS, String(MESSAGES_PER_STREAM));
  const addresses = started.map(({ address }) => address);
  return { kind: "sockets", addresses, messagesPerStream: MESSAGES_PER_STREAM };
}

/** Whatever happens, clients and servers are gone when it ends. */
async function* onServers(
  servers: ServerProcesses,
  contestants: readonly Contestant[],
  use: (contestants: readonly Contestant[]) => AsyncGenerator<Section>,
): AsyncGenerator<Section> {
  try {
    yield* use(contestants);
  } finally {
    await leave(contestants);
    servers.stop();
  }
}

function section(part: Section["part"], result: ComparisonResult): Section {
  return { part, data: result, table: table(result), verdicts: callVerdicts(result) };
}
