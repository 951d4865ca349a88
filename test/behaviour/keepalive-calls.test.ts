import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import type { RawHttp2Server } from "../support/raw-http2-server.js";
import { Stage } from "../support/stage.js";
import { Tally } from "../support/tally.js";

const stage = new Stage();
const OFTEN = { timeMs: 40, timeoutMs: 5_000, allowAggressiveKeepalive: true };

/** Pings that reach the newest connection of a server. */
function pingsOf({ sessions }: RawHttp2Server): Tally {
  const pings = new Tally("pings");
  sessions.at(-1)!.on("ping", () => pings.add());
  return pings;
}

describe("keepalive without permitWithoutCalls", () => {
  it("pings while a stream runs and not before, as servers in their default configuration want it (R64, R65)", async () => {
    const [resting, control] = [await stage.raw(() => {}), await stage.raw(() => {})];
    const { client } = await stage.warm([resting], { keepalive: OFTEN });
    const pings = pingsOf(resting);
    await stage.warm([control], { keepalive: { ...OFTEN, permitWithoutCalls: true } });
    await pingsOf(control).reached(5);
    const pingsAtRest = pings.count;

    const stream = client.serverStream(Buffer.from("x"), callOptions({ timeoutMs: 10_000 }));
    stream.on("error", () => {});
    await pings.reached(3);
    stream.cancel();

    expect(pingsAtRest).toBe(0);
    expect(resting.sessionsOpened).toBe(1);
  });
});
