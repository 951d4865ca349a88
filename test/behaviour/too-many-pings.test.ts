import http2 from "node:http2";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { goaway, type RawHttp2Server, type RawRequest, respondOk } from "../support/raw-http2-server.js";
import { ending, Stage } from "../support/stage.js";
import { Tally } from "../support/tally.js";

const stage = new Stage();
const TOO_OFTEN_MS = 200;

/** A server that minds pings closer than `TOO_OFTEN_MS`, in gRPC's way: the third strike ends the connection (R69). */
class Strict {
  readonly pings = new Tally("pings");
  goodbyes = 0;

  constructor(private readonly server: RawHttp2Server) {}

  /** From the next session on, `count` of them. */
  async watch(count: number): Promise<void> {
    for (let session = 1; session <= count; session++) {
      await this.server.connected(session);
      this.#judge(this.server.sessions.at(-1)!);
    }
  }

  #judge(session: RawRequest["session"]): void {
    let [strikes, last] = [0, Number.NEGATIVE_INFINITY];
    session.on("ping", () => {
      const now = performance.now();
      if (now - last < TOO_OFTEN_MS) strikes++;
      last = now;
      this.pings.add();
      if (strikes < 3) return;
      this.goodbyes++;
      goaway(session, http2.constants.NGHTTP2_ENHANCE_YOUR_CALM, undefined, Buffer.from("too_many_pings"));
      session.close();
    });
  }
}

describe("a server that minds pings", () => {
  it("is pinged half as often after each goodbye, until it is content (R68, R69)", async () => {
    const raw = await stage.raw(({ stream }) => respondOk(stream));
    const strict = new Strict(raw);
    const watching = strict.watch(3);
    const { client, channel, events } = stage.harden([raw], {
      keepalive: { timeMs: 60, timeoutMs: 5_000, permitWithoutCalls: true, allowAggressiveKeepalive: true },
      reconnectBackoff: { initialMs: 10 },
    });
    await channel.ready();

    await events.nth(2, "keepalive.raised");
    await watching;
    await strict.pings.reached(strict.pings.count + 5);
    const result = await unary(client, "x");

    expect(events.of("keepalive.raised")).toMatchObject([
      { fromMs: 60, toMs: 120 },
      { fromMs: 120, toMs: 240 },
    ]);
    expect([strict.goodbyes, raw.sessionsOpened]).toEqual([2, 3]);
    expect(ending(result)).toBe("OK");
  });
});
