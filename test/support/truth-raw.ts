import type { ServerHttp2Stream } from "node:http2";
import { turns } from "./event-loop.js";
import { grpcFrame, respondOk, sendFrame } from "./raw-frames.js";
import { RawHttp2Server, type RawRequest } from "./raw-http2-server.js";
import type { TruthDoor } from "./truth-calls.js";
import { CELL_KEY } from "./truth-streams.js";

/** How far a server gets with a call before it ends it. */
export const STAGES = [
  "stream opened",
  "request headers read",
  "response headers sent early",
  "request read",
  "handler ran",
  "response headers sent",
  "response message sent",
  "trailers pending",
] as const;
export type TruthStage = (typeof STAGES)[number];

/** From here on the handler has run. */
const RUNS_FROM = STAGES.indexOf("handler ran");

/** Every code of HTTP/2 (RFC 9113, section 7), and one that has no meaning. */
export const CODES: ReadonlyMap<string, number> = new Map([
  ["NO_ERROR", 0x0],
  ["PROTOCOL_ERROR", 0x1],
  ["INTERNAL_ERROR", 0x2],
  ["FLOW_CONTROL_ERROR", 0x3],
  ["SETTINGS_TIMEOUT", 0x4],
  ["STREAM_CLOSED", 0x5],
  ["FRAME_SIZE_ERROR", 0x6],
  ["REFUSED_STREAM", 0x7],
  ["CANCEL", 0x8],
  ["COMPRESSION_ERROR", 0x9],
  ["CONNECT_ERROR", 0xa],
  ["ENHANCE_YOUR_CALM", 0xb],
  ["INADEQUATE_SECURITY", 0xc],
  ["HTTP_1_1_REQUIRED", 0xd],
  ["unknown", 0xff],
]);

/** Whether the last stream id of a GOAWAY disowns the call's stream, names it, or is yet above it. */
export const LAST_IDS = ["below", "at", "above"] as const;
export type LastId = (typeof LAST_IDS)[number];

/** What ends a call: RST_STREAM, or GOAWAY and then the end of the connection. */
export type Ending =
  | { readonly frame: "RST_STREAM"; readonly code: number }
  | { readonly frame: "GOAWAY"; readonly code: number; readonly last: LastId };

/** What a server does to the calls of one cell. */
export interface Scene {
  readonly stage: TruthStage;
  readonly ending: Ending;
  /** True ends every attempt so, false only the first: a repeat is then run and answered. */
  readonly isEveryAttempt: boolean;
}

/**
 * True where the server claims not to have run what it has run: by code, or by a last stream id below the call's. A
 * GOAWAY with the code REFUSED_STREAM claims nothing of streams it accepts, but only a pool tells it from RST_STREAM.
 */
export function isLie({ stage, ending }: Scene, door: TruthDoor): boolean {
  if (STAGES.indexOf(stage) < RUNS_FROM) return false;
  const isRefused = ending.code === CODES.get("REFUSED_STREAM");
  if (ending.frame === "RST_STREAM") return isRefused;
  return ending.last === "below" || (isRefused && door === "own channel");
}

const RST_STREAM = 0x3;
const GOAWAY = 0x7;
const GRPC_HEADERS = { ":status": 200, "content-type": "application/grpc" } as const;
const MAX_STREAM_ID = 2 ** 31 - 1;

/** A raw HTTP/2 server that knows which calls it has run, and ends them as their cell says. */
export class TruthServer {
  readonly #runs = new Map<string, number>();
  readonly #scenes = new Map<string, Scene>();
  readonly #seen = new Set<string>();
  #raw!: RawHttp2Server;

  static async start(): Promise<TruthServer> {
    const server = new TruthServer();
    server.#raw = await RawHttp2Server.start((request) => void server.#play(request));
    return server;
  }

  get address(): string {
    return this.#raw.address;
  }

  runsOf(cell: string): number {
    return this.#runs.get(cell) ?? 0;
  }

  /** Calls of this cell are ended so; those of all others are run and answered. */
  stage(cell: string, scene: Scene): void {
    this.#scenes.set(cell, scene);
  }

  close(): Promise<void> {
    return this.#raw.close();
  }

  async #play(request: RawRequest): Promise<void> {
    const cell = String(request.headers[CELL_KEY]);
    const scene = this.#scenes.get(cell);
    const isRepeat = this.#seen.has(cell);
    this.#seen.add(cell);
    if (scene !== undefined && (scene.isEveryAttempt || !isRepeat)) return this.#ruin(request, cell, scene);
    await wholeRequest(request);
    this.#run(cell);
    if (!request.stream.destroyed) respondOk(request.stream, Buffer.from("answer"));
  }

  async #ruin(request: RawRequest, cell: string, { stage, ending }: Scene): Promise<void> {
    await this.#reach(request, cell, STAGES.indexOf(stage));
    if (ending.frame === "RST_STREAM") reset(request, ending.code);
    else await goAway(request, ending.code, ending.last);
  }

  /** Does all that comes before the end, and lets what was written leave. */
  async #reach(request: RawRequest, cell: string, stage: number): Promise<void> {
    const { stream } = request;
    const reaches = (name: TruthStage): boolean => stage >= STAGES.indexOf(name);
    // At once, while the frames behind the headers are still unread.
    if (!reaches("request headers read")) return;
    await turns(2);
    // A proxy, or a library that answers before it hands the call on.
    if (STAGES[stage] === "response headers sent early") respond(stream);
    if (!reaches("request read")) return turns(2);
    await wholeRequest(request);
    if (reaches("handler ran")) this.#run(cell);
    if (stream.destroyed || !reaches("response headers sent")) return;
    respond(stream);
    if (reaches("response message sent")) stream.write(grpcFrame(Buffer.from("answer")));
    if (reaches("trailers pending")) {
      const isAsked = new Promise((resolve) => stream.once("wantTrailers", resolve).once("close", resolve));
      stream.end();
      await isAsked;
    }
    await turns(2);
  }

  #run(cell: string): void {
    this.#runs.set(cell, this.runsOf(cell) + 1);
  }
}

function respond(stream: ServerHttp2Stream): void {
  if (!stream.destroyed) stream.respond(GRPC_HEADERS, { waitForTrailers: true });
}

async function wholeRequest({ stream }: RawRequest): Promise<void> {
  if (stream.readableEnded || stream.destroyed) return;
  await new Promise((resolve) => stream.once("end", resolve).once("close", resolve));
}

/** By hand: Node sends no RST_STREAM for a stream that both sides have ended. */
function reset({ stream, session }: RawRequest, code: number): void {
  if (stream.destroyed || stream.id === undefined) return;
  sendFrame(session, { type: RST_STREAM, streamId: stream.id, payload: uint32s(code) });
  stream.close(code);
}

/** A server that goes away: it says so, leaves the client a moment to read it, and hangs up. */
async function goAway({ stream, session }: RawRequest, code: number, last: LastId): Promise<void> {
  const id = stream.id ?? 1;
  const lastId = { below: Math.max(0, id - 2), at: id, above: MAX_STREAM_ID }[last];
  sendFrame(session, { type: GOAWAY, payload: uint32s(lastId, code) });
  // Node would say goodbye a second time and take back what was said here.
  session.goaway = () => {};
  await turns(4);
  session.destroy();
}

function uint32s(...values: readonly number[]): Buffer {
  const payload = Buffer.alloc(4 * values.length);
  for (const [index, value] of values.entries()) payload.writeUInt32BE(value, 4 * index);
  return payload;
}

/** The name of a code. */
export function codeName(code: number): string {
  return [...CODES].find(([, number]) => number === code)?.[0] ?? String(code);
}

export function nameOf({ stage, ending, isEveryAttempt }: Scene): string {
  const id = ending.frame === "GOAWAY" ? `, last stream id ${ending.last}` : "";
  return `${ending.frame} ${codeName(ending.code)}${id}, ${stage}${isEveryAttempt ? "" : ", first attempt only"}`;
}
