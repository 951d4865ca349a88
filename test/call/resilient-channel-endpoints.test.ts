import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { isReason } from "../../src/core/index.js";
import { A, B, C, ChannelBench, readyBench } from "../support/channel-bench.js";

describe("a set of endpoints given by hand", () => {
  it("replaces the target's: new ones connect, kept ones stay, removed ones drain", async () => {
    const bench = await readyBench({}, { addresses: [A, B] });
    const call = await bench.unary();
    const busy = bench.network.route[0] ?? "";
    const idle = busy === A ? B : A;

    bench.channel.updateEndpoints([C, { address: idle }]);
    await bench.settle();
    bench.network.current.ok();
    await bench.settle();

    expect(call.status.code).toBe(status.OK);
    expect(bench.channel.endpoints().map(({ address }) => address)).toEqual([C, idle]);
    expect(bench.network.dialsOf(idle)).toHaveLength(1);
    expect(bench.network.last(busy).socket.destroyed).toBe(true);
    expect(bench.eventsOf("resolver.endpoints").at(-1)).toMatchObject({
      added: [C],
      removed: [busy],
      total: 2,
    });
  });

  it("is taken before the first call, too, without connecting anything", async () => {
    const bench = new ChannelBench();

    bench.channel.updateEndpoints([B]);
    await bench.settle();
    expect(bench.network.dials).toHaveLength(0);

    await bench.unary();
    expect(bench.network.route).toEqual([B]);
  });

  it("names every bad entry at once, and changes nothing then", async () => {
    const bench = await readyBench();
    const update = (): void => bench.channel.updateEndpoints(["nope", "b:0", B, B]);

    expect(update).toThrow(/3 problems: .*"nope" has no port.*"b:0" has the port "0".*listed twice/);
    expect(bench.channel.endpoints().map(({ address }) => address)).toEqual([A]);
  });

  it("is refused by a channel that is closed, or closing", async () => {
    const bench = await readyBench();
    await bench.unary();
    const update = (): void => bench.channel.updateEndpoints([B]);
    void bench.channel.close({ drainMs: 1_000 });

    expect(update).toThrow("CLIENT_CLOSED: updateEndpoints: the channel is closed");
    bench.channel.destroy();

    expect(update).toThrow("CLIENT_CLOSED: updateEndpoints: the channel is closed");
    expect(bench.channel.endpoints().map(({ address }) => address)).not.toContain(B);
  });

  it.each([[[]], [undefined], [[undefined]], [[{ host: "a" }]], ["a:1"]])(
    "that is none is refused as bad configuration: %j",
    (bad) => {
      const bench = new ChannelBench();
      let thrown: unknown;

      try {
        bench.channel.updateEndpoints(bad as never);
      } catch (error) {
        thrown = error;
      }

      expect(isReason(thrown, "CONFIG_INVALID")).toBe(true);
    },
  );

  it("brings back no life into a closed channel", async () => {
    const bench = await readyBench();
    await bench.channel.close();

    expect(() => bench.channel.updateEndpoints([B])).toThrow("CLIENT_CLOSED");
    await bench.advance(60_000);

    expect(bench.network.dialsOf(B)).toHaveLength(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });
});
