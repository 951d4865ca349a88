import { alignColumns } from "../../examples/shared/align-columns.js";
import { HELD_CLIENTS, type HeldClientName } from "../memory/clients.js";
import { MESSAGE_BYTES } from "../memory/held-stub.js";
import { type Held, measureHeld } from "../memory/measure-held.js";
import type { Section } from "../report/section.js";
import { atMost, type Verdict } from "../report/verdict.js";

const CALLS = 100;
const HEADS = ["", "buffers B/call", "x 1 MiB", "heap B/call", "kept for retries B/call", "buffers of 1 MiB"];

/** What calls of 1 MiB hold while a server reads nothing; each client in a process of its own. */
export async function* ofMemory(): AsyncGenerator<Section> {
  const results: Held[] = [];
  for (const client of Object.keys(HELD_CLIENTS) as HeldClientName[]) {
    results.push(await measureHeld(client, CALLS));
  }
  yield {
    part: "memory",
    data: { title: "held", results },
    table: [
      `${CALLS} calls of 1 MiB in flight, the server reads none`,
      alignColumns([HEADS, ...results.map(row)]),
    ].join("\n"),
    verdicts: results.flatMap(verdict),
  };
}

/** What the retry budget keeps, which is bounded for the whole channel, is the second copy that was asked for. */
function verdict({ client, bufferBytes, retryBufferBytes, calls }: Held): Verdict[] {
  if (retryBufferBytes === null) return [];
  const held = (bufferBytes - retryBufferBytes) / (calls * MESSAGE_BYTES);
  return [atMost(`${client}: each request held, times`, held, 1.05)];
}

function row({ client, calls, bufferBytes, heapBytes, retryBufferBytes, largeBuffers }: Held): string[] {
  return [
    client,
    (bufferBytes / calls).toFixed(0),
    (bufferBytes / calls / MESSAGE_BYTES).toFixed(2),
    (heapBytes / calls).toFixed(0),
    retryBufferBytes === null ? "-" : (retryBufferBytes / calls).toFixed(0),
    String(largeBuffers),
  ];
}
