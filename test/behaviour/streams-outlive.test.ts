import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CounterClient, type CountingServer, collect, unary } from "../support/counting-server.js";
import { LoopbackClock } from "../support/loopback-clock.js";
import { ending, type Hardened, type Proxied, Stage } from "../support/stage.js";

const stage = new Stage();
const once = callOptions({ retry: false, timeoutMs: 3_600_000 });
const AGE_MS = 10_000;

/** What makes a connection leave while streams run on it. */
interface Leaving {
  readonly old: Proxied;
  readonly next: CountingServer;
  readonly clock: LoopbackClock;
}

type Cause = (hardened: Hardened, leaving: Leaving) => unknown;

/** Server streams answer "first", and "last" when they are let go. */
function holdStreams(server: CountingServer): () => void {
  const held: (() => void)[] = [];
  server.serverStream = (call) => {
    call.write(Buffer.from("first"));
    held.push(() => {
      call.write(Buffer.from("last"));
      call.end();
    });
  };
  return () => {
    for (const finish of held) finish();
  };
}

/** A stream of each kind, under way: the server has them, and two have answered. */
async function openStreams(client: CounterClient, server: CountingServer) {
  const finishServing = holdStreams(server);
  const served = client.serverStream(Buffer.from("x"), once);
  const duplex = client.bidi(once);
  const ends = [collect(served), collect(duplex)];
  const answer = new Promise<string>((resolve) => {
    const sending = client.clientStream(once, (error, message) => resolve(error?.message ?? String(message)));
    sending.write(Buffer.from("first"));
    duplex.once("end", () => sending.end(Buffer.from("last")));
  });
  duplex.write(Buffer.from("first"));
  await Promise.all([served, duplex].map((stream) => new Promise((resolve) => stream.once("data", resolve))));
  await server.received(3);
  return async () => {
    finishServing();
    duplex.end(Buffer.from("last"));
    const results = await Promise.all(ends);
    return [...results.map(({ texts, status }) => `${ending(status)} ${texts}`), `OK ${await answer}`];
  };
}

const CAUSES: readonly (readonly [string, Cause])[] = [
  ["the endpoint is removed", ({ channel }, { next }) => channel.updateEndpoints([next.address])],
  [
    "the server says GOAWAY with NO_ERROR",
    (_, { old }) => {
      // It resolves when the streams have ended.
      void old.server.drain();
    },
  ],
  ["it reaches its maximum age", (_, { clock }) => clock.advance(AGE_MS * 1.2)],
  [
    "it has carried maxCallsPerConnection calls",
    ({ client }, { old }) =>
      Promise.all(Array.from({ length: 20 - old.server.calls.length }, () => unary(client, "x", once))),
  ],
];

describe("a connection leaves while a stream of every kind runs on it", () => {
  it.each(CAUSES)(
    "lets each go on to its end, and sends new calls elsewhere: %s (R72, R74)",
    async (_, leave) => {
      const [old, next, clock] = [await stage.proxied(), await stage.server(), new LoopbackClock()];
      const options = { maxConnectionAgeMs: AGE_MS, maxCallsPerConnection: 20, drainMs: 3_600_000 };
      const hardened = stage.harden([old], options, { clock });
      const { client, events } = hardened;
      const finish = await openStreams(client, old.server);
      const [oldPeer] = old.server.peers;

      await leave(hardened, { old, next, clock });
      await events.first("connection.draining", { endpoint: old.address });
      const after = old.server.calls.length;
      const waiting = unary(client, "after", callOptions({ waitForReady: true, timeoutMs: 3_600_000 }));
      const streamed = await finish();
      if (old.server.calls.length === after && next.calls.length === 0) await old.server.restart();
      await clock.advance(2_000);

      expect(streamed).toEqual(["OK first,last", "OK first,last", "OK first,last"]);
      expect(ending(await waiting)).toBe("OK");
      expect([...old.server.calls.slice(after), ...next.calls].map(({ peer }) => peer)).not.toContain(
        oldPeer,
      );
      expect(events.count("connection.lost")).toBe(0);
    },
  );
});
