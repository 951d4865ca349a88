import { once } from "node:events";
import http2 from "node:http2";
import { CallCredentials, status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { turns } from "../support/event-loop.js";
import { type RawRequest, respondOk, respondTrailersOnly, sendFrame } from "../support/raw-http2-server.js";
import { ending, Stage } from "../support/stage.js";
import { TlsFront } from "../support/tls-front.js";
import { KINDS, start } from "./kinds.js";

const stage = new Stage();
const DATA = 0x0;
const DAY_MS = 24 * 3_600_000;
const UNITS: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** The `grpc-timeout` header in ms. */
function timeoutMs({ headers }: RawRequest): number {
  const [, digits, unit] = /^(\d{1,8})([HMSmun])$/.exec(String(headers["grpc-timeout"])) ?? [];
  return Number(digits) * (UNITS[unit ?? ""] ?? Number.NaN);
}

/** The code of the RST_STREAM that ends a request. */
async function resetCode({ stream }: RawRequest): Promise<number> {
  if (!stream.closed) await once(stream, "close");
  return stream.rstCode;
}

describe("the time that a server is given", () => {
  it("falls from attempt to attempt by the wait between them (R49, R174)", async () => {
    const requests: RawRequest[] = [];
    const raw = await stage.raw((request) => {
      requests.push(request);
      respondTrailersOnly(request.stream, status.UNAVAILABLE, "scripted");
    });
    const retry = { backoff: { kind: "fixed" as const, initialMs: 100, jitter: "none" as const } };
    const { client } = stage.harden([raw], { attemptTimeoutMs: null, retry });

    await unary(client, "x", callOptions({ idempotent: true, timeoutMs: 5_000 }));

    const [first, second, third] = requests.map(timeoutMs) as [number, number, number];
    expect(first).toBeLessThanOrEqual(5_000);
    expect(first).toBeGreaterThan(second + 98);
    expect(second).toBeGreaterThan(third + 98);
    expect(third).toBeGreaterThan(0);
  });

  it.each([30, 400, 20 * 365])("fits the header, and the timer, %d days ahead (R49, R55)", async (days) => {
    const raw = await stage.raw(({ stream }) => respondOk(stream));
    const { client } = stage.harden([raw]);

    const result = await unary(client, "x", callOptions({ deadline: Date.now() + days * DAY_MS }));

    expect(ending(result)).toBe("OK");
    const sent = timeoutMs(await raw.request());
    expect(sent).toBeGreaterThan((days - 1) * DAY_MS);
    expect(sent).toBeLessThan((days + 1) * DAY_MS);
  });
});

describe.each(KINDS)("a %s call", (kind) => {
  it("whose token never comes ends with its deadline, unsent (R47)", async () => {
    const raw = await stage.raw(({ stream }) => respondOk(stream));
    const front = stage.use(await TlsFront.start(raw.port));
    const { client } = await stage.warm([front], front.secure);
    const credentials = CallCredentials.createFromMetadataGenerator(() => {});

    const end = await start(client, kind, { ...callOptions({ timeoutMs: 100 }), credentials }).end;

    expect(end).toMatchObject({ code: status.DEADLINE_EXCEEDED, origin: "local", processed: "no" });
    expect(raw.streamsStarted).toBe(0);
  });

  it("whose time is up ends here, tells the server by CANCEL, and hears nothing more (R50)", async () => {
    const raw = await stage.raw(() => {});
    const { client } = stage.harden([raw]);
    const call = start(client, kind, callOptions({ timeoutMs: 100 }));
    const request = await raw.request();

    expect(await call.end).toMatchObject({ code: status.DEADLINE_EXCEEDED, origin: "local" });

    expect(await resetCode(request)).toBe(http2.constants.NGHTTP2_CANCEL);
    // An answer that was on its way when the client gave up.
    const payload = Buffer.from([0, 0, 0, 0, 1, 65]);
    sendFrame(request.session, { type: DATA, streamId: request.stream.id ?? 0, payload });
    await turns(5);
    expect(raw.sessions).toEqual([request.session]);
  });

  it("that the application cancels is CANCELLED here, tells the server by CANCEL, and is not repeated (R53)", async () => {
    const raw = await stage.raw(() => {});
    const { client } = stage.harden([raw], { retry: { retryableCodes: ["CANCELLED"] } });
    const call = start(client, kind, callOptions({ idempotent: true }));
    const request = await raw.request();

    call.cancel();

    expect(await call.end).toMatchObject({ code: status.CANCELLED, reason: "CANCELLED" });
    expect(await resetCode(request)).toBe(http2.constants.NGHTTP2_CANCEL);
    expect(raw.streamsStarted).toBe(1);
  });

  it("whose deadline is past opens no stream (R51)", async () => {
    const raw = await stage.raw(({ stream }) => respondOk(stream));
    const { client } = await stage.warm([raw]);

    const end = await start(client, kind, callOptions({ deadline: Date.now() - 1 })).end;
    await turns(5);

    expect(end).toMatchObject({ code: status.DEADLINE_EXCEEDED, processed: "no" });
    expect(raw.streamsStarted).toBe(0);
  });
});
