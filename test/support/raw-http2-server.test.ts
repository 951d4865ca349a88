import http2 from "node:http2";
import { status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type CounterClient, counterClient, unary } from "./counter-service.js";
import { type LeakBaseline, leakBaseline } from "./leak-check.js";
import { PlainClient } from "./plain-tcp.js";
import {
  goaway,
  grpcFrame,
  type RawHandler,
  RawHttp2Server,
  respondHeadersThen,
  respondOk,
  respondTrailersOnly,
  rst,
} from "./raw-http2-server.js";
import { acceptOnly, type SilentServer } from "./silent-server.js";

const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_REFUSED_STREAM } = http2.constants;

let baseline: LeakBaseline;
let raw: RawHttp2Server | undefined;
let client: CounterClient | undefined;

beforeEach(async () => {
  baseline = await leakBaseline();
});

afterEach(async () => {
  client?.close();
  await raw?.close();
  await baseline.expectClean();
});

async function serve(handler: RawHandler, settings: http2.Settings = {}): Promise<CounterClient> {
  raw = await RawHttp2Server.start(handler, { settings });
  client = counterClient(raw.address, { "grpc.enable_retries": 0 });
  return client;
}

describe("a raw HTTP/2 server", () => {
  it("answers a gRPC client with a message and status OK", async () => {
    const stub = await serve(({ stream, index }) => respondOk(stream, Buffer.from(`answer ${index}`)));

    expect(await unary(stub, "a")).toEqual({ ok: true, text: "answer 1" });
    expect(await unary(stub, "b")).toEqual({ ok: true, text: "answer 2" });
    expect(raw).toMatchObject({ streamsStarted: 2, sessionsOpened: 1 });
  });

  it("hands out the nth request with its headers", async () => {
    const stub = await serve(({ stream }) => respondOk(stream));

    const [request] = await Promise.all([raw!.request(1), unary(stub, "a")]);

    expect(request.headers[":path"]).toBe("/holdfast.test.Counter/Unary");
    expect(raw!.sessions).toEqual([request.session]);
  });

  it("reads requests that are larger than a flow-control window", async () => {
    const stub = await serve(({ stream }) =>
      stream.on("end", () => respondOk(stream, Buffer.from("all read"))),
    );

    expect(await unary(stub, "x".repeat(200_000))).toEqual({ ok: true, text: "all read" });
  });

  it("fails a call in a single frame that ends the stream", async () => {
    await serve(({ stream }) => respondTrailersOnly(stream, status.ABORTED, "no room", { "x-why": "full" }));
    const session = http2.connect(`http://${raw!.address}`);
    const request = session.request({ ":method": "POST", ":path": "/" }, { endStream: true });

    const [headers, flags] = await new Promise<[http2.IncomingHttpHeaders, number]>((resolve) =>
      request.on("response", (...frame) => resolve(frame)),
    );
    session.destroy();

    expect(headers).toMatchObject({ "grpc-status": "10", "grpc-message": "no%20room", "x-why": "full" });
    expect(flags & http2.constants.NGHTTP2_FLAG_END_STREAM).toBe(1);
  });

  it("resets a call that already has its headers, with the code it was told", async () => {
    const stub = await serve(({ stream }) => rst(respondHeadersThen(stream), NGHTTP2_ENHANCE_YOUR_CALM));

    expect(await unary(stub, "a")).toMatchObject({ ok: false, error: { code: status.RESOURCE_EXHAUSTED } });
    expect(await unary(stub, "b")).toMatchObject({ ok: false, error: { code: status.RESOURCE_EXHAUSTED } });
    expect(raw?.sessionsOpened).toBe(1);
  });

  it("refuses a stream so that the client knows it was not run", async () => {
    const stub = await serve(({ stream }) => rst(stream, NGHTTP2_REFUSED_STREAM));

    const result = await unary(stub, "a");

    expect(result).toMatchObject({ ok: false, error: { code: status.UNAVAILABLE } });
    expect(String(!result.ok && result.error.details)).toContain("Stream refused by server");
  });

  it("disowns a running call with a GOAWAY whose last stream id is 0", async () => {
    const stub = await serve(({ session }) => goaway(session, 0, 0, Buffer.from("bye")));

    const result = await unary(stub, "a");

    expect(result).toMatchObject({ ok: false, error: { code: status.UNAVAILABLE } });
    expect(String(!result.ok && result.error.details)).toContain("Stream refused by server");
  });

  it("lets a running call finish after a GOAWAY that covers it, while the next one dials anew", async () => {
    const stub = await serve(({ stream, session, index }) => {
      if (index === 1) goaway(session);
      respondOk(stream, Buffer.from(`answer ${index}`));
    });

    expect(await unary(stub, "a")).toEqual({ ok: true, text: "answer 1" });
    expect(await unary(stub, "b")).toEqual({ ok: true, text: "answer 2" });
    expect(raw?.sessionsOpened).toBe(2);
  });

  it("announces the settings it was given", async () => {
    await serve(() => {}, { maxConcurrentStreams: 1 });
    const session = http2.connect(`http://${raw!.address}`);

    const settings = await new Promise<http2.Settings>((resolve) => session.on("remoteSettings", resolve));
    session.destroy();

    expect(settings.maxConcurrentStreams).toBe(1);
  });

  it("frames messages as gRPC does", () => {
    expect(grpcFrame(Buffer.from("ab"))).toEqual(Buffer.from([0, 0, 0, 0, 2, 0x61, 0x62]));
  });
});

describe("a silent server", () => {
  let silent: SilentServer;

  beforeEach(async () => {
    silent = await acceptOnly();
  });

  afterEach(() => silent.close());

  it("accepts connections, answers nothing, and notices when they end", async () => {
    const visitor = await PlainClient.connect(silent.port);
    visitor.say("PRI * HTTP/2.0");
    await silent.accepted(1);
    expect(silent).toMatchObject({ acceptedCount: 1, openCount: 1 });

    await visitor.close();
    await silent.allClosed();
    expect([silent.openCount, visitor.text]).toEqual([0, ""]);
  });

  it("keeps a gRPC client from ever being connected", async () => {
    client = counterClient(silent.address);

    const result = await unary(client, "a", { timeoutMs: 100 });

    expect(result).toMatchObject({ ok: false, error: { code: status.DEADLINE_EXCEEDED } });
    expect(silent.acceptedCount).toBe(1);
  });
});
