import http2 from "node:http2";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CounterClient, collect, unary } from "../support/counting-server.js";
import type { FaultProxy } from "../support/fault-proxy.js";
import {
  goaway,
  grpcFrame,
  type RawHttp2Server,
  type RawRequest,
  respondHeadersThen,
} from "../support/raw-http2-server.js";
import { endings, Stage } from "../support/stage.js";

const stage = new Stage();
const OPTIONS = {
  loadBalancing: "pick_first" as const,
  breaker: { consecutiveFailures: 2 },
  retry: { backoff: { kind: "immediate" as const }, throttle: { maxTokens: 20, tokenRatio: 0.001 } },
};
const { NGHTTP2_ENHANCE_YOUR_CALM, NGHTTP2_INTERNAL_ERROR } = http2.constants;
const idempotent = callOptions({ idempotent: true });

/** Streams that have had their first answer. */
async function openStreams(client: CounterClient, count: number) {
  const streams = Array.from({ length: count }, () => client.bidi());
  const ends = streams.map((stream) => collect(stream));
  const begun = streams.map((stream) => new Promise((resolve) => stream.once("data", resolve)));
  for (const stream of streams) stream.write(Buffer.from("hello"));
  await Promise.all(begun);
  return { statuses: async () => (await Promise.all(ends)).map(({ status }) => status) };
}

interface Cuttable {
  readonly server: RawHttp2Server;
  readonly proxy: FaultProxy;
}

function goodbye(code: number, opaque?: Buffer) {
  return ({ server }: Cuttable): void => {
    for (const session of server.sessions) goaway(session, code, undefined, opaque);
  };
}

/** How a connection is cut, and how bare calls end that run on it. */
const CUTS = [
  [
    "GOAWAY too_many_pings",
    goodbye(NGHTTP2_ENHANCE_YOUR_CALM, Buffer.from("too_many_pings")),
    "RESOURCE_EXHAUSTED",
  ],
  ["GOAWAY with an error code", goodbye(NGHTTP2_INTERNAL_ERROR), "INTERNAL"],
  ["a reset", ({ proxy }: Cuttable) => proxy.resetAll(), "UNAVAILABLE"],
  ["FIN without GOAWAY", ({ proxy }: Cuttable) => proxy.closeAll(), "UNAVAILABLE"],
] as const;

/** Begins an answer to streams, and leaves unary calls without one. */
function begin({ stream, headers }: RawRequest): void {
  if (headers[":path"]?.endsWith("Bidi")) respondHeadersThen(stream).write(grpcFrame(Buffer.from("hello")));
}

describe("a connection is cut while streams and calls run on it", () => {
  it.each(CUTS)(
    "is one loss and one failure, and only what cannot be repeated fails, where bare grpc-js fails everything: %s (R178)",
    async (_, cut, bareCode) => {
      const [server, up] = [await stage.raw(begin), await stage.server()];
      const proxy = await stage.proxy(server.port);
      const failing = { server, proxy, address: proxy.address };
      const { client, events, channel } = stage.harden([failing, up], OPTIONS);
      const bare = stage.bare([failing, up], { loadBalancingConfig: [{ pick_first: {} }] });
      const [ours, theirs] = [await openStreams(client, 3), await openStreams(bare, 3)];
      const calls = Array.from({ length: 5 }, () => unary(client, "x", idempotent));
      const bareCalls = Array.from({ length: 5 }, () => unary(bare, "x"));
      await server.request(16);

      cut(failing);

      expect(endings(await ours.statuses())).toEqual({ "UNAVAILABLE CONNECTION_LOST yes": 3 });
      expect(endings(await Promise.all(calls))).toEqual({ OK: 5 });
      expect(endings(await theirs.statuses())).toEqual({ [bareCode]: 3 });
      expect(endings(await Promise.all(bareCalls))).toEqual({ [bareCode]: 5 });
      expect(events.count("connection.lost")).toBe(1);
      expect(events.count("breaker.state")).toBe(0);
      // One for all, and a little back for each that succeeded.
      expect(channel.stats().throttle?.tokens).toBeCloseTo(20 - 1 + 0.005);
      expect(channel.stats().callsInFlight).toBe(0);
    },
  );
});
