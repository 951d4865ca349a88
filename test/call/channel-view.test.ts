import { connectivityState as State, status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { ChannelView } from "../../src/call/index.js";
import { A, B, readyBench } from "../support/channel-bench.js";
import { unary } from "../support/test-call.js";

async function viewed() {
  const bench = await readyBench();
  const owner = { close: vi.fn(async () => {}), destroy: vi.fn() };
  return { bench, owner, view: new ChannelView(bench.channel, owner) };
}

describe("a stub's view of a shared channel", () => {
  it("makes calls on the channel and tells of it", async () => {
    const { bench, view } = await viewed();
    const call = unary(view);
    await bench.settle();
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(view.stats()).toEqual(bench.channel.stats());
    expect(view.endpoints()).toEqual(bench.channel.endpoints());
    expect(view.getTarget()).toBe(`static:///${A}`);
    expect(view.getConnectivityState(false)).toBe(State.READY);
    expect(view.getChannelzRef().name).toBe(`static:///${A}`);
  });

  it("passes on events, endpoints and a reset of the backoff", async () => {
    const { bench, view } = await viewed();
    const heard = vi.fn();
    using _subscription = view.onEvent(heard);

    view.updateEndpoints([B]);
    view.resetBackoff();
    await bench.settle();

    expect(bench.channel.endpoints().map(({ address }) => address)).toEqual([B]);
    expect(heard).toHaveBeenCalled();
  });

  it("ends this stub only when it is closed: the channel and the other stubs go on", async () => {
    const { bench, view, owner } = await viewed();
    const other = new ChannelView(bench.channel, { close: async () => {}, destroy: () => {} });

    await view.close({ drainMs: 5 });
    const [refused, fine] = [unary(view), unary(other)];
    await bench.settle();

    expect(owner.close.mock.calls).toEqual([[{ drainMs: 5 }]]);
    expect(refused.status).toMatchObject({ code: status.CANCELLED, reason: "CLIENT_CLOSED" });
    expect(refused.status.details).toContain("The client is closed");
    expect(fine.isOver).toBe(false);
    expect(bench.network.calls).toHaveLength(1);
  });

  it("says SHUTDOWN once it is closed, and refuses to be watched", async () => {
    const { view } = await viewed();

    await view.close();

    expect(view.getConnectivityState(true)).toBe(State.SHUTDOWN);
    expect(() => view.watchConnectivityState(State.READY, Number.POSITIVE_INFINITY, () => {})).toThrow(
      "shut down",
    );
  });

  it("releases its owner once, however often it is closed or destroyed", async () => {
    const { view, owner } = await viewed();

    await view.close();
    await view.close();

    expect(owner.close).toHaveBeenCalledTimes(1);
  });

  it("destroyed leaves it to its owner what becomes of the channel", async () => {
    const { bench, view, owner } = await viewed();
    const error = new Error("out of memory");

    view.destroy(error);

    expect(owner.destroy.mock.calls).toEqual([[error]]);
    expect(bench.channel.isClosed).toBe(false);
  });
});
