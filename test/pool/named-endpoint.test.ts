import { describe, expect, it } from "vitest";
import { settle } from "../support/manual-clock.js";
import { CONNECT_TIMEOUT_MS, SubchannelBench } from "./subchannel-bench.js";

const NAMED = { address: "users:50051" };

/** A bench of an endpoint named `users`, whose look-up gives these addresses. */
function named(lookup: () => Promise<readonly string[]>): SubchannelBench {
  const bench = new SubchannelBench(NAMED, lookup);
  return bench;
}

describe("an endpoint known by name", () => {
  it("is looked up and dialled by address, under its own name", async () => {
    const bench = named(async () => ["10.9.9.9"]);

    bench.subchannel.connect();
    await settle();

    expect(bench.dial.peer).toBe("10.9.9.9:50051");
    expect(bench.dial.endpoint.serverName).toBe("users:50051");
    expect(bench.subchannel.endpoint.address).toBe("users:50051");
  });

  it("C11: has each of its addresses tried in turn", async () => {
    const bench = named(async () => ["10.9.9.1", "10.9.9.2"]);
    bench.network.plan("users:50051", "refuse");

    bench.subchannel.connect();
    await bench.clock.advance(10_000);

    expect(bench.network.dials.slice(0, 4).map((dial) => dial.peer)).toEqual([
      "10.9.9.1:50051",
      "10.9.9.2:50051",
      "10.9.9.1:50051",
      "10.9.9.2:50051",
    ]);
  });

  it("fails its dial with the look-up's own words", async () => {
    const bench = named(() => Promise.reject(new Error("getaddrinfo ENOTFOUND users")));

    bench.subchannel.connect();
    await settle();

    expect(bench.dialErrors).toEqual(["getaddrinfo ENOTFOUND users"]);
    expect(bench.subchannel.state).toBe("TRANSIENT_FAILURE");
  });

  it("fails its dial when the name has no address", async () => {
    const bench = named(async () => []);

    bench.subchannel.connect();
    await settle();

    expect(bench.dialErrors).toEqual(["the name users has no address"]);
  });

  it("is given up when the look-up alone takes the whole time of a dial", async () => {
    const bench = named(() => new Promise(() => {}));

    bench.subchannel.connect();
    await bench.clock.advance(CONNECT_TIMEOUT_MS);

    expect(bench.dialErrors).toHaveLength(1);
    expect(bench.network.dials).toHaveLength(0);
  });

  it("opens no socket when the answer comes after it was removed", async () => {
    let answer: (hosts: readonly string[]) => void = () => {};
    const bench = named(
      () =>
        new Promise((resolve) => {
          answer = resolve;
        }),
    );
    bench.subchannel.connect();
    bench.subchannel.shutdown("removed");

    answer(["10.9.9.9"]);
    await settle();

    expect(bench.network.dials).toHaveLength(0);
    expect(bench.clock.pendingTimers).toBe(0);
  });

  it("keeps the server name that the resolver gave it", async () => {
    const bench = new SubchannelBench({ ...NAMED, serverName: "kv.example" }, async () => ["10.9.9.9"]);

    bench.subchannel.connect();
    await settle();

    expect(bench.dial.endpoint.serverName).toBe("kv.example");
  });
});

describe("an endpoint that needs no look-up", () => {
  it.each([
    [{ address: "10.0.0.7:1" }, "10.0.0.7:1"],
    [{ address: "[::1]:1" }, "[::1]:1"],
    [{ address: "unix:/run/kv.sock" }, "unix:/run/kv.sock"],
    [{ address: "users:1", isProxied: true }, "users:1"],
  ])("is dialled as it is: %j", async (endpoint, peer) => {
    const bench = new SubchannelBench(endpoint);

    bench.subchannel.connect();
    await settle();

    expect(bench.dial.peer).toBe(peer);
    expect(bench.subchannel.state).toBe("READY");
  });
});
