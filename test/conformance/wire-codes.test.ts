import http2 from "node:http2";
import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { rst } from "../support/raw-http2-server.js";
import { failureOf, Stage } from "../support/stage.js";

const stage = new Stage();
const { INTERNAL, UNAVAILABLE, UNKNOWN, CANCELLED } = status;

const HTTP: readonly (readonly [httpStatus: number, code: status])[] = [
  [200, UNKNOWN],
  [302, UNKNOWN],
  [400, INTERNAL],
  [401, status.UNAUTHENTICATED],
  [403, status.PERMISSION_DENIED],
  [404, status.UNIMPLEMENTED],
  [418, UNKNOWN],
  [429, UNAVAILABLE],
  [500, UNKNOWN],
  [502, UNAVAILABLE],
  [503, UNAVAILABLE],
  [504, UNAVAILABLE],
];

describe("an HTTP response without a grpc-status", () => {
  it.each(HTTP)(
    "of %d, as a gateway sends it, is code %d, and not retried unless idempotent (R165)",
    async (httpStatus, code) => {
      const raw = await stage.raw(({ stream }) => {
        stream.respond({ ":status": httpStatus, "content-type": "text/html" });
        stream.end("<h1>not gRPC</h1>");
      });
      const { client } = stage.harden([raw]);

      const error = failureOf(await unary(client, "x"));

      expect(error).toMatchObject({ code, reason: "REMOTE", origin: "remote", processed: "maybe" });
      expect(raw.streamsStarted).toBe(1);
    },
  );

  it.each(HTTP)("of %d, in one frame, is code %d, too (R165)", async (httpStatus, code) => {
    const raw = await stage.raw(({ stream }) => {
      stream.respond({ ":status": httpStatus }, { endStream: true });
    });
    const { client } = stage.harden([raw]);

    expect(failureOf(await unary(client, "x"))).toMatchObject({ code, reason: "REMOTE" });
  });

  it("counts for nothing where there is a grpc-status (R165)", async () => {
    const raw = await stage.raw(({ stream }) => {
      const headers = { ":status": 503, "content-type": "application/grpc", "grpc-status": "5" };
      stream.respond(headers, { endStream: true });
    });
    const { client } = stage.harden([raw]);

    expect(failureOf(await unary(client, "x")).code).toBe(status.NOT_FOUND);
  });
});

const RST: readonly (readonly [name: keyof typeof http2.constants, code: status])[] = [
  ["NGHTTP2_NO_ERROR", INTERNAL],
  ["NGHTTP2_PROTOCOL_ERROR", INTERNAL],
  ["NGHTTP2_INTERNAL_ERROR", INTERNAL],
  ["NGHTTP2_FLOW_CONTROL_ERROR", INTERNAL],
  ["NGHTTP2_SETTINGS_TIMEOUT", INTERNAL],
  ["NGHTTP2_FRAME_SIZE_ERROR", INTERNAL],
  ["NGHTTP2_COMPRESSION_ERROR", INTERNAL],
  ["NGHTTP2_CONNECT_ERROR", INTERNAL],
  ["NGHTTP2_REFUSED_STREAM", UNAVAILABLE],
  ["NGHTTP2_CANCEL", CANCELLED],
  ["NGHTTP2_ENHANCE_YOUR_CALM", status.RESOURCE_EXHAUSTED],
  ["NGHTTP2_INADEQUATE_SECURITY", status.PERMISSION_DENIED],
];

describe("a stream that the server resets", () => {
  it.each(RST)("with %s is code %d (R165)", async (name, code) => {
    const raw = await stage.raw(({ stream }) => rst(stream, Number(http2.constants[name])));
    const { client } = stage.harden([raw], { retry: false });

    const error = failureOf(await unary(client, "x"));

    expect(error.code).toBe(code);
    expect(error.processed).toBe(name === "NGHTTP2_REFUSED_STREAM" ? "no" : "maybe");
    expect(raw.sessionsOpened).toBe(1);
  });
});
