import { describe, expect, it } from "vitest";
import { ChannelBench, readyBench } from "../support/channel-bench.js";

const A = "10.0.0.1:1";
const B = "10.0.0.2:1";

function endpoint(bench: ChannelBench, address: string) {
  return bench.channel.endpoints().find((one) => one.address === address);
}

describe("an endpoint that was isolated by hand", () => {
  it("stays out of use when it leaves the set and comes back, and is in use again once that is disposed", async () => {
    const bench = await readyBench({}, { addresses: [A, B] });
    const isolated = bench.channel.isolate(A);
    bench.channel.updateEndpoints([B]);
    bench.channel.updateEndpoints([A, B]);
    await bench.settle();
    expect(endpoint(bench, A)).toMatchObject({ breaker: "open", isIsolated: true });

    isolated.dispose();

    expect(endpoint(bench, A)).toMatchObject({ breaker: "closed", isIsolated: false });
  });

  it("may be isolated before the first call", async () => {
    const bench = new ChannelBench({}, { addresses: [A, B] });
    bench.channel.isolate(A);

    await bench.ready();

    expect(endpoint(bench, A)).toMatchObject({ isIsolated: true });
    expect(endpoint(bench, B)).toMatchObject({ isIsolated: false });
  });

  it("that is none is refused, with those that there are", async () => {
    const bench = await readyBench({}, { addresses: [A, B] });

    expect(() => bench.channel.isolate("10.0.0.9:1")).toThrow(
      `isolate: "10.0.0.9:1" is no endpoint of ${bench.channel.getTarget()}; allowed: ${A}, ${B}`,
    );
  });

  it("is let be under the kill switch, which leaves no breakers", async () => {
    const bench = await readyBench({ enabled: false }, { addresses: [A] });

    bench.channel.isolate(A).dispose();

    expect(endpoint(bench, A)).toMatchObject({ isIsolated: false });
  });
});
