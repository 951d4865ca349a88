import { connectivityState as State, status } from "@grpc/grpc-js";
import { describe, expect, it, vi } from "vitest";
import { ChannelView } from "../../src/call/index.js";
import { A, B, readyBench } from "../support/channel-bench.js";
import { unary } from "../support/test-call.js";

async function viewed() {
  const bench = await readyBench();
  const onReleased = vi.fn(async () => {});
  return { bench, onReleased, view: new ChannelView(bench.channel, onReleased) };
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
    const { bench, view, onReleased } = await viewed();
    const other = new ChannelView(bench.channel, async () => {});

    await view.close({ drainMs: 5 });
    const [refused, fine] = [unary(view), unary(other)];
    await bench.settle();

    expect(onReleased.mock.calls).toEqual([[{ drainMs: 5 }]]);
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
    const { view, onReleased } = await viewed();

    await view.close();
    await view.close();

    expect(onReleased).toHaveBeenCalledTimes(1);
  });

  it("destroyed with an error takes the channel down with it", async () => {
    const { bench, view } = await viewed();

    view.destroy(new Error("out of memory"));

    expect(bench.channel.isClosed).toBe(true);
  });
});
