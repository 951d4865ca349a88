import { Metadata, status } from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { ending, endings, failureOf, type Proxied, Stage } from "../support/stage.js";

const stage = new Stage();
const QUICK = { reconnectBackoff: { initialMs: 20, maxMs: 20 } };

/** Two endpoints that refuse, and a client that knows it. */
async function allDown() {
  const [first, second]: [Proxied, Proxied] = [await stage.proxied(), await stage.proxied()];
  await Promise.all([first.proxy.refuse(), second.proxy.refuse()]);
  const hardened = stage.harden([first, second], QUICK);
  hardened.channel.getConnectivityState(true);
  await hardened.events.first("channel.state", { to: "TRANSIENT_FAILURE" });
  return { first, second, ...hardened };
}

describe("while all endpoints are down", () => {
  it("a call fails at once unless it waits for ready (R45)", async () => {
    const { client } = await allDown();

    const error = failureOf(await unary(client, "x", callOptions({ retry: false })));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toContain("none of 2 endpoints is connected");
  });

  it("calls that wait for ready queue, whoever asked for it, and succeed when one endpoint is back (R45)", async () => {
    const { client, channel, events, second } = await allDown();
    const metadata = new Metadata({ waitForReady: true });

    const waiting = [
      unary(client, "a", callOptions({ waitForReady: true })),
      unary(client, "b", { metadata }),
    ];
    await events.next("endpoint.state", { endpoint: second.address, to: "TRANSIENT_FAILURE" });
    const queued = channel.stats().callsQueued;
    await second.proxy.pass();

    expect(queued).toBe(2);
    expect(endings(await Promise.all(waiting))).toEqual({ OK: 2 });
    expect(second.server.executions.Unary).toBe(2);
    expect(channel.stats().calls).toMatchObject({ attempts: 2, retries: 0 });
  });

  it("a call that waits for ready waits no longer than its deadline (R47)", async () => {
    const { client, channel } = await allDown();

    const options = callOptions({ waitForReady: true, timeoutMs: 100 });
    const error = failureOf(await unary(client, "x", options));

    expect(ending({ ok: false, error })).toBe("DEADLINE_EXCEEDED NO_READY_ENDPOINT no");
    expect(error.details).toContain("ECONNREFUSED");
    expect(channel.stats().callsQueued).toBe(0);
  });
});
