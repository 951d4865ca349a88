import { type ComparisonResult, compare, enter, leave, warmUp } from "../measure/compare.js";
import type { Load } from "../measure/drive.js";
import type { Section } from "../report/section.js";
import { table } from "../report/table.js";
import { atLeast, type Verdict } from "../report/verdict.js";
import { bare } from "../stacks/bare.js";
import { echoCalls } from "../stacks/echo-calls.js";
import type { Client, Place, Stack } from "../stacks/index.js";
import type { ServerProcesses } from "../transport/server-processes.js";
import { withTimed } from "../transport/timed-servers.js";
import { ourClient } from "./clients.js";

const BYTES = 64 * 1_024;
const MESSAGE = Buffer.alloc(BYTES, "x");
const ANSWERS = `Answers of ${BYTES / 1_024} KiB`;
const ECHOES = `Requests and answers of ${BYTES / 1_024} KiB`;
const ANSWERS_IN_FLIGHT = [8, 64];
const ECHOES_IN_FLIGHT = 8;
const CALLS = 512;
const WARM_UP_CALLS = 2_000;
const ROUNDS = 11;
const LIMIT_MS = 30_000;
const OURS = "defaults";

const ours: Stack = {
  name: OURS,
  places: ["sockets"],
  hasStreams: false,
  retries: true,
  isOurs: true,
  open(place) {
    if (place.kind === "fake") throw new Error("a transport without sockets has no window");
    const { stub, close } = ourClient(OURS, place.addresses);
    return { ...echoCalls(() => stub, place), close };
  },
};

/**
 * Messages as large as HTTP/2's own window. Each side's window is for what it reads: ours is larger, and holds answers
 * up less. Requests wait for the server's, which no client can change; those are here for comparison, without a target.
 */
export async function* ofLargeMessages(servers: ServerProcesses): AsyncGenerator<Section> {
  const sections: Section[] = [];
  await withTimed([{ delayMs: 0, answerBytes: BYTES }], async ([server]) => {
    for (const inFlight of ANSWERS_IN_FLIGHT) {
      const result = await measure(ANSWERS, server?.address ?? "", [bare, ours], inFlight);
      sections.push({ ...section(result), verdicts: answerVerdicts(result) });
    }
  });
  yield* sections;
  const [echo] = await servers.start("echo-server.mjs", 1, "1");
  try {
    yield section(await measure(ECHOES, echo?.address ?? "", [bare, ours].map(enlarged), ECHOES_IN_FLIGHT));
  } finally {
    servers.stop();
  }
}

/** Throughput is the inverse of the time per call. */
export function answerVerdicts({ inFlight, stacks }: ComparisonResult): Verdict[] {
  return stacks
    .filter(({ name }) => name === OURS)
    .map(({ name, wallMicros }) =>
      atLeast(`${name} to bare, ${inFlight} in flight: throughput`, 1 / wallMicros.ratio.median, 1.1),
    );
}

async function measure(
  title: string,
  address: string,
  stacks: readonly Stack[],
  inFlight: number,
): Promise<ComparisonResult> {
  const place: Place = { kind: "sockets", addresses: [address], messagesPerStream: 1 };
  const load: Load = { calls: CALLS, inFlight, defer: process.nextTick };
  const contestants = enter(stacks, place);
  try {
    await warmUp(contestants, "unary", { ...load, calls: WARM_UP_CALLS });
    const about = { title, place, kind: "unary", messagesPerCall: 1, load } as const;
    return await compare(contestants, { ...about, rounds: ROUNDS, limitMs: LIMIT_MS });
  } finally {
    await leave(contestants);
  }
}

function section(result: ComparisonResult): Section {
  return { part: "window", data: result, table: table(result), verdicts: [] };
}

/** The same calls with a large message in place of the usual one. */
function enlarged(stack: Stack): Stack {
  return {
    ...stack,
    open(place): Client {
      const client = stack.open(place);
      return { ...client, unary: (_request, done) => client.unary(MESSAGE, done) };
    },
  };
}
