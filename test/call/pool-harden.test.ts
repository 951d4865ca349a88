import type { Client } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { harden, isReason } from "../../src/index.js";
import { counterClient } from "../support/counter-service.js";

/** A stub that never connects. */
function stub(): Client {
  return counterClient("127.0.0.1:1");
}

describe("over a stub's own channel", () => {
  it.each([
    ["health", { health: { serviceName: "" } }],
    ["outlierEjection", { outlierEjection: { failurePercentage: {} } }],
    ["loadBalancing", { loadBalancing: "random" }],
    ["subsetting", { subsetting: { policy: "random_subsetting" as const, subsetSize: 2 } }],
    ["zone", { zone: "a" }],
    ["slowStartMs", { slowStartMs: 1_000 }],
    ["connecting", { connecting: "eager" as const }],
    ["separateStreams", { separateStreams: true }],
    ["maxConnectionAgeMs", { maxConnectionAgeMs: 1_000 }],
  ])("%s is refused, because it would do nothing there", (key, options) => {
    let thrown: unknown;
    const bare = stub();

    try {
      harden(bare, options).close();
    } catch (error) {
      thrown = error;
    }
    bare.close();

    expect(isReason(thrown, "CONFIG_INVALID")).toBe(true);
    expect(String(thrown)).toContain(`${key} needs a pool`);
  });

  it("isolate() takes the target out of use, and back", () => {
    const hardened = harden(stub());
    const { channel } = hardened.getChannel();
    const address = channel.endpoints()[0]?.address ?? "none";

    const isolation = channel.isolate(address);
    const during = channel.endpoints()[0]?.breaker;
    isolation.dispose();

    expect([during, channel.endpoints()[0]?.breaker]).toEqual(["open", "closed"]);
    hardened.close();
  });
});

describe("a stub hardened over a pool", () => {
  it("gives isolate(), ready(), endpoints() and events by getChannel()", async () => {
    const hardened = harden(stub(), { insecure: true, target: "static:///127.0.0.1:1,127.0.0.1:2" });
    const view = hardened.getChannel();
    view.updateEndpoints(["127.0.0.1:1", "127.0.0.1:2"]);

    const isolation = view.isolate("127.0.0.1:1");
    const words = view.endpoints().map(({ breaker }) => breaker);
    const error: unknown = await view.ready({ timeoutMs: 1_000, endpoints: "all" }).catch((e: unknown) => e);

    expect(words).toEqual(["open", "closed"]);
    expect(isReason(error, "DIAL_FAILED")).toBe(true);
    isolation.dispose();
    hardened.close();
  });
});
