import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { hang } from "../support/counting-server.js";
import type { EventLog } from "../support/event-log.js";
import { PacedLoad } from "../support/paced-load.js";
import { endings, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = {
  attemptTimeoutMs: 250,
  connectTimeoutMs: 200,
  suspicion: { checkTimeoutMs: 200 },
  retry: { backoff: { kind: "immediate" as const } },
};
const idempotent = callOptions({ idempotent: true, timeoutMs: 5_000 });
/** What bare calls are given: more than an answer takes here, and the longest that a call of ours takes on one attempt. */
const BARE_TIMEOUT_MS = 250;

/** The endpoint that breaks, and what breaks it. */
interface Victim {
  readonly address: string;
  /** What tells its client that no call is to go there any more. */
  readonly sign: "connection.suspect" | "connection.lost";
  strike(): Promise<void>;
}

/** A crash with calls running on it; the kernel then refuses connects. */
async function dying(): Promise<Victim> {
  const { address, proxy, server } = await stage.proxied();
  return {
    address,
    // Before it dies it may be suspect, and pass the Check.
    sign: "connection.lost",
    async strike() {
      server.unary = hang();
      await server.received(server.calls.length + 6);
      await proxy.refuse();
      proxy.resetAll();
    },
  };
}

async function freezing(): Promise<Victim> {
  const child = await stage.child();
  return { address: child.address, sign: "connection.suspect", strike: () => child.freeze() };
}

async function disappearing(): Promise<Victim> {
  const { address, proxy } = await stage.proxied();
  return { address, sign: "connection.suspect", strike: () => proxy.blackHole() };
}

/** The picks made after the sign; it may have come before, too, when this machine was too slow to answer. */
function picksAfter({ all }: EventLog, { sign, address }: Victim): string[] {
  const at = all.findLastIndex((event) => event.type === sign && event.endpoint === address);
  return all.slice(at).flatMap((event) => (event.type === "call.picked" ? event.endpoint : []));
}

describe("one of three servers breaks at 100 calls per second, keepalive off", () => {
  it.each([
    ["dies", dying],
    ["freezes", freezing],
    ["falls into a black hole", disappearing],
  ])(
    "costs no idempotent call, and none goes there once it is found out, where bare grpc-js loses calls: it %s",
    async (_, make) => {
      const victim = await make();
      const { address: endpoint } = victim;
      const all = [victim, await stage.server(), await stage.server()];
      const { client, events } = await stage.warm(all, QUICK);
      const ours = stage.use(new PacedLoad(client, idempotent));
      const theirs = stage.use(new PacedLoad(stage.bare(all), { timeoutMs: BARE_TIMEOUT_MS }));
      await ours.more(30);

      await victim.strike();
      await events.first("connection.lost", { endpoint });
      await ours.more(60);
      const [results, bareResults] = [await ours.stop(), await theirs.stop()];

      const after = picksAfter(events, victim);
      expect(endings(results)).toEqual({ OK: ours.count });
      expect(after.length).toBeGreaterThanOrEqual(60);
      expect(after).not.toContain(endpoint);
      expect(events.count("connection.lost", { endpoint })).toBe(1);
      expect(endings(bareResults)["OK"]).toBeLessThan(theirs.count);
    },
  );
});
