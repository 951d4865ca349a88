import type { CallOptions } from "@grpc/grpc-js";
import { type CallResult, type CounterClient, collect, type StreamResult, unary } from "./counter-service.js";
import { ending } from "./stage.js";

/** A call of every kind, all at once, over the echoing test service. Returns how each ended: four times `"OK"`. */
export async function callEveryKind(client: CounterClient, options: CallOptions = {}): Promise<string[]> {
  const duplex = client.bidi(options);
  const echoed = collect(duplex);
  for (const text of ["a", "b", "c"]) duplex.write(Buffer.from(text));
  duplex.end();
  const streamed = [collect(client.serverStream(Buffer.from("a,b,c"), options)), echoed];
  const single = [unary(client, "a,b,c", options), sendStream(client, options)];
  return [...(await Promise.all(streamed)).map(streamEnd), ...(await Promise.all(single)).map(singleEnd)];
}

/** Calls every kind again and again until it is stopped. */
export class EveryKind {
  readonly #ends: string[] = [];
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(client: CounterClient, options: CallOptions = {}) {
    this.#done = this.#run(client, options);
  }

  /** Makes no more calls; resolves with how all ended, counted. */
  async stop(): Promise<Record<string, number>> {
    this.close();
    await this.#done;
    const counts: Record<string, number> = {};
    for (const end of this.#ends) counts[end] = (counts[end] ?? 0) + 1;
    return counts;
  }

  close(): void {
    this.#isOver = true;
  }

  async #run(client: CounterClient, options: CallOptions): Promise<void> {
    while (!this.#isOver) this.#ends.push(...(await callEveryKind(client, options)));
  }
}

function sendStream(client: CounterClient, options: CallOptions): Promise<CallResult> {
  return new Promise((resolve) => {
    const stream = client.clientStream(options, (error, answer) =>
      resolve(error === null ? { ok: true, text: String(answer) } : { ok: false, error }),
    );
    for (const text of ["a", "b", "c"]) stream.write(Buffer.from(text));
    stream.end();
  });
}

function streamEnd({ texts, status }: StreamResult): string {
  return ended(ending(status), texts.join(","));
}

function singleEnd(result: CallResult): string {
  return ended(ending(result), result.ok ? result.text : "");
}

function ended(word: string, text: string): string {
  return word === "OK" && text !== "a,b,c" ? `OK with ${JSON.stringify(text)}` : word;
}
