import { hasSubscribers } from "node:diagnostics_channel";
import { callOptions, registerPicker } from "holdfast";
import { describe, expect, it, vi } from "vitest";
import type { ChannelEvent } from "../../src/core/index.js";
import { A, B, ChannelBench, IDEMPOTENT, NOTHING_LEFT, readyBench } from "../support/channel-bench.js";
import { ManualClock } from "../support/manual-clock.js";

/** What a listener does in the middle of an event. */
const REACTIONS: Record<string, (bench: ChannelBench) => void> = {
  "updateEndpoints()": ({ channel }) => channel.updateEndpoints([B]),
  "close()": ({ channel }) => void channel.close({ drainMs: 0 }),
  "destroy()": ({ channel }) => channel.destroy(),
};
const ENDINGS = ["close()", "destroy()"];

/** Reacts to the first event of this kind. */
function onFirst(bench: ChannelBench, matches: (event: ChannelEvent) => boolean, react: () => void): void {
  const subscription = bench.channel.onEvent((event) => {
    if (!matches(event)) return;
    subscription.dispose();
    react();
  });
}

function openSockets({ network }: ChannelBench, address: string): number {
  return network.dialsOf(address).filter(({ socket }) => !socket.destroyed).length;
}

/** Registers a policy that does something in the middle of each pick. @returns its name */
function meddlingPolicy(name: string, meddle: () => void): string {
  registerPicker(name, () => ({
    name,
    connects: "all",
    create: ({ candidates: [first = null] }) => ({
      pick: () => {
        meddle();
        return first;
      },
    }),
  }));
  return name;
}

/** Settings of a call that can be aborted, and what aborts it. */
function abortable() {
  const abort = new AbortController();
  const deadline = callOptions({ signal: abort.signal }).deadline as Date;
  return { abort, options: { deadline } };
}

describe.each(Object.entries(REACTIONS))("%s in a listener", (_name, react) => {
  it("to connection.dead ends the endpoint for good: it is not connected again", async () => {
    const bench = await readyBench({ ...IDEMPOTENT, attemptTimeoutMs: 300 });
    onFirst(
      bench,
      ({ type }) => type === "connection.dead",
      () => react(bench),
    );
    bench.network.plan(A, "refuse", "ready");

    await bench.unary();
    await bench.advance(60_000);

    expect(bench.eventsOf("connection.dead")).toHaveLength(1);
    expect(openSockets(bench, A)).toBe(0);
    expect(bench.eventsOf("endpoint.state").findLast(({ endpoint }) => endpoint === A)?.to).toBe("SHUTDOWN");
  });

  it("to the beginning of a dial leaves neither the dial nor its hook in Node", async () => {
    const bench = new ChannelBench();
    onFirst(
      bench,
      (event) => event.type === "endpoint.state" && event.to === "CONNECTING",
      () => react(bench),
    );

    await bench.ready();

    expect(bench.network.dialsOf(A)).toHaveLength(0);
    expect(hasSubscribers("net.client.socket")).toBe(false);
  });
});

describe("an endpoint that a listener puts back while it is being removed", () => {
  function putBackWhenRemoved(bench: ChannelBench): void {
    onFirst(
      bench,
      (event) => event.type === "endpoint.state" && event.endpoint === A && event.to === "SHUTDOWN",
      () => bench.channel.updateEndpoints([A, B]),
    );
    bench.channel.updateEndpoints([B]);
  }

  it("is asked for its health, and gets calls again", async () => {
    const bench = await readyBench({ health: { probe: () => true } }, { addresses: [A, B] });

    putBackWhenRemoved(bench);
    await bench.settle();

    expect(bench.channel.endpoints().map(({ health }) => health)).toEqual(["serving", "serving"]);
    await bench.unary();
    await bench.unary();
    expect(bench.network.route.toSorted()).toEqual([A, B]);
  });

  it("gets calls of every compression again", async () => {
    const gzip = { deadline: callOptions({ compression: "gzip" }).deadline as Date };
    const bench = await readyBench({}, { addresses: [A, B] });
    (await bench.unary(gzip)).cancel();

    putBackWhenRemoved(bench);
    await bench.settle();
    await bench.unary(gzip);
    await bench.unary(gzip);

    expect(bench.network.route.slice(1).toSorted()).toEqual([A, B]);
  });
});

describe.each([
  ["retried", IDEMPOTENT],
  ["hedged", { ...IDEMPOTENT, hedging: { maxAttempts: 2, delayMs: 0 } }],
])("a %s call that ends while it is picked for", (kind, options) => {
  it("is not sent, and leaves nothing, where a listener aborts it", async () => {
    const bench = await readyBench(options, { addresses: [A, B] });
    const { abort, options: given } = abortable();
    onFirst(
      bench,
      ({ type }) => type === "call.picked",
      () => abort.abort(),
    );

    const call = await bench.unary(given);

    expect(call.status).toMatchObject({ reason: "CANCELLED", processed: "no" });
    expect(bench.network.calls).toHaveLength(0);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("does not wait for an endpoint where its picker ends the channel", async () => {
    let end = () => {};
    const loadBalancing = meddlingPolicy(`ends_the_channel_of_a_${kind}_call`, () => end());
    const bench = await readyBench({ loadBalancing, ...options });
    end = () => bench.channel.destroy();

    const call = await bench.unary();

    expect(call.statuses).toHaveLength(1);
    expect(call.status).toMatchObject({ reason: "CLIENT_CLOSED" });
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });

  it("is told of no more where its picker aborts it after a wait", async () => {
    const { abort, options: given } = abortable();
    const loadBalancing = meddlingPolicy(`aborts_a_${kind}_call`, () => abort.abort());
    const bench = new ChannelBench({ loadBalancing, ...options });
    bench.network.plan(A, "silent");
    const call = await bench.unary(given);
    expect(bench.channel.stats().callsQueued).toBe(1);

    bench.network.last(A).settings();
    await bench.settle();

    expect(call.status).toMatchObject({ reason: "CANCELLED" });
    expect(bench.events.at(-1)?.type).toBe("call.failed");
    expect(bench.channel.stats().calls.attempts).toBe(0);
    expect(bench.leftovers).toEqual(NOTHING_LEFT);
  });
});

describe.each(ENDINGS)("a channel ended with %s", (ending) => {
  const end = (bench: ChannelBench): void => REACTIONS[ending]?.(bench);

  it("by a listener to what a tick found out has no timer left", async () => {
    const bench = await readyBench({ health: { probe: () => true } });
    onFirst(
      bench,
      ({ type }) => type === "connection.suspect",
      () => end(bench),
    );

    // The machine slept for an hour.
    vi.spyOn(bench.clock, "epoch").mockReturnValue(ManualClock.EPOCH_AT_ZERO + 3_600_000);
    await bench.advance(2_000);

    expect(bench.channel.isClosed).toBe(true);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it.each(["channel.state", "resolver.resolving"])(
    "by a listener to its first %s resolves and connects nothing afterwards",
    async (type) => {
      const lookup = vi.fn(async () => ["10.0.0.1"]);
      const bench = new ChannelBench({}, { target: "dns:///service.test:1", lookup });
      onFirst(
        bench,
        (event) => event.type === type,
        () => end(bench),
      );

      await bench.ready();
      await bench.advance(60_000);

      expect(lookup).not.toHaveBeenCalled();
      expect(bench.network.dials).toHaveLength(0);
      expect(bench.clock.pendingTimers).toBe(0);
    },
  );
});
