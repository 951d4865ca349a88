import { status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import {
  grpcFrame,
  type RawRequest,
  respondHeadersThen,
  respondOk,
  respondTrailersOnly,
} from "../support/raw-http2-server.js";
import { failureOf, Stage } from "../support/stage.js";
import { KINDS, start } from "./kinds.js";

const stage = new Stage();
const QUICK = { retry: { maxAttempts: 4, backoff: { kind: "immediate" as const } } };
const idempotent = callOptions({ idempotent: true, timeoutMs: 10_000 });
const failInOneFrame = ({ stream }: RawRequest): void =>
  respondTrailersOnly(stream, status.UNAVAILABLE, "scripted");

/** Response headers, then the failure in trailers. */
function failAfterHeaders({ stream }: RawRequest): void {
  stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "14", "grpc-message": "too late" }));
  stream.end();
}

function previousAttempts({ headers }: RawRequest): string | undefined {
  return headers["grpc-previous-rpc-attempts"] as string | undefined;
}

describe.each(KINDS)("a %s call", (kind) => {
  it("is made exactly maxAttempts times against a server that is always UNAVAILABLE (R166, R42, R173)", async () => {
    const raw = await stage.raw(failInOneFrame);
    const { client } = stage.harden([raw], QUICK);

    const end = await start(client, kind, idempotent).end;

    expect(end).toMatchObject({ code: status.UNAVAILABLE, details: "scripted" });
    expect(raw.streamsStarted).toBe(4);
    const told = [];
    for (let n = 1; n <= 4; n++) told.push(previousAttempts(await raw.request(n)));
    expect(told).toEqual([undefined, "1", "2", "3"]);
  });

  it("is repeated after a failure in one frame, and not after headers, with the same code and words (R176, R14)", async () => {
    const [frame, headers] = [await stage.raw(firstFails(failInOneFrame)), await stage.raw(failAfterHeaders)];
    const repeated = stage.harden([frame], QUICK).client;
    const committed = stage.harden([headers], QUICK).client;

    expect(await start(repeated, kind, idempotent).end).toBeNull();
    expect(await start(committed, kind, idempotent).end).toMatchObject({
      code: status.UNAVAILABLE,
      details: "too late",
      reason: "REMOTE",
    });
    expect([frame.streamsStarted, headers.streamsStarted]).toEqual([2, 1]);
  });

  it("whose answer is over the limit is RESOURCE_EXHAUSTED, and not made again (R179)", async () => {
    const raw = await stage.raw(({ stream }) => {
      respondHeadersThen(stream).write(grpcFrame(Buffer.alloc(101)));
    });
    const retry = { ...QUICK.retry, retryableCodes: [status.RESOURCE_EXHAUSTED] };
    const { client, channel } = stage.harden([raw], { maxReceiveMessageBytes: 100, retry });

    const end = await start(client, kind, idempotent).end;

    expect(end).toMatchObject({ code: status.RESOURCE_EXHAUSTED, reason: "MESSAGE_TOO_LARGE" });
    expect(raw.streamsStarted).toBe(1);
    expect(channel.stats().throttle?.tokens).toBe(20);
  });

  it("whose answer has the size of the limit is answered (R179)", async () => {
    const raw = await stage.raw(({ stream }) => respondOk(stream, Buffer.alloc(100)));
    const { client } = stage.harden([raw], { maxReceiveMessageBytes: 100 });

    expect(await start(client, kind, idempotent).end).toBeNull();
  });
});

it("an answer of 4 MiB is the largest taken by default (R179)", async () => {
  const server = await stage.server();
  const sizes = [4_194_304, 4_194_305];
  server.unary = (call, callback) => callback(null, Buffer.alloc(sizes[Number(call.request)] ?? 0));
  const { client } = stage.harden([server], QUICK);

  const [fits, tooLarge] = [await unary(client, "0", idempotent), await unary(client, "1", idempotent)];

  expect(fits.ok).toBe(true);
  expect(failureOf(tooLarge)).toMatchObject({ code: status.RESOURCE_EXHAUSTED, processed: "maybe" });
  expect(server.executions.Unary).toBe(2);
});

/** Fails the first request in this way, and answers the others. */
function firstFails(fail: (request: RawRequest) => void): (request: RawRequest) => void {
  return (request) => (request.index === 1 ? fail(request) : respondOk(request.stream));
}
