import { type ComparisonResult, compare, enter, leave, warmUp } from "../measure/compare.js";
import type { Load } from "../measure/drive.js";
import type { Section } from "../report/section.js";
import { table } from "../report/table.js";
import { atLeast, type Verdict } from "../report/verdict.js";
import { bare } from "../stacks/bare.js";
import { echoCalls } from "../stacks/echo-calls.js";
import type { Client, Place, Stack } from "../stacks/index.js";
import type { ServerProcesses } from "../transport/server-processes.js";
import { ourClient } from "./clients.js";

const BYTES = 64 * 1_024;
const MESSAGE = Buffer.alloc(BYTES, "x");
const IN_FLIGHT = [8, 64];
const CALLS = 768;
const WARM_UP_CALLS = 2_000;
const ROUNDS = 9;
const LIMIT_MS = 30_000;
const OURS = "defaults";

/** The same calls with a large message in place of the usual one. */
function large(client: Client): Client {
  return { ...client, unary: (_request, done) => client.unary(MESSAGE, done) };
}

const STACKS: readonly Stack[] = [
  { ...bare, open: (place) => large(bare.open(place)) },
  {
    name: OURS,
    places: ["sockets"],
    hasStreams: false,
    retries: true,
    isOurs: true,
    open(place) {
      if (place.kind === "fake") throw new Error("windows are the sockets' affair");
      const { stub, close } = ourClient(OURS, place.addresses);
      return large({ ...echoCalls(() => stub, place), close });
    },
  },
];

/** Messages as large as HTTP/2's own window, which our connections have larger. */
export async function* ofLargeMessages(servers: ServerProcesses): AsyncGenerator<Section> {
  const [server] = await servers.start("echo-server.mjs", 1, "1");
  const place: Place = { kind: "sockets", addresses: [server?.address ?? ""], messagesPerStream: 1 };
  const contestants = enter(STACKS, place);
  try {
    const title = `Messages of ${BYTES / 1_024} KiB, echoed by one server on loopback`;
    const about = { title, place, kind: "unary", messagesPerCall: 1, limitMs: LIMIT_MS } as const;
    for (const inFlight of IN_FLIGHT) {
      const load: Load = { calls: CALLS, inFlight, defer: process.nextTick };
      await warmUp(contestants, "unary", { ...load, calls: WARM_UP_CALLS });
      const result = await compare(contestants, { ...about, load, rounds: ROUNDS });
      yield { part: "window", data: result, table: table(result), verdicts: largeVerdicts(result) };
    }
  } finally {
    await leave(contestants);
    servers.stop();
  }
}

/** Throughput is the inverse of the time per call. */
export function largeVerdicts({ inFlight, stacks }: ComparisonResult): Verdict[] {
  return stacks
    .filter(({ name }) => name === OURS)
    .map(({ name, wallMicros }) =>
      atLeast(`${name} to bare, ${inFlight} in flight: throughput`, 1 / wallMicros.ratio.median, 1.1),
    );
}
