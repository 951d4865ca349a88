import * as grpc from "@grpc/grpc-js";
import { harden, isReason } from "holdfast";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { flavours, unreroutableFlavours } from "../fixtures/stubs/flavours.js";
import { callToEnd } from "../support/contract-calls.js";
import { QUICK } from "../support/contract-doors.js";
import { DirectedServer, direct } from "../support/directed-server.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";

const [protoLoader] = flavours as [(typeof flavours)[number]];
const options = { insecure: true, ...QUICK } as const;

let baseline: LeakBaseline;
let servers: readonly DirectedServer[];
beforeEach(async () => {
  baseline = await leakBaseline();
  servers = await Promise.all([DirectedServer.start(), DirectedServer.start()]);
});
afterEach(async () => {
  await Promise.all(servers.map((server) => server.stop()));
  await baseline.expectClean();
});

function plainStub(address = servers[0]!.address) {
  const own = { "grpc.use_local_subchannel_pool": 1 };
  return new protoLoader.Client(address, grpc.credentials.createInsecure(), own);
}

function target(): string {
  return `static:///${servers.map(({ address }) => address).join(",")}`;
}

describe("over a pool", () => {
  it("spreads the calls of a stub made for one address over all endpoints", async () => {
    const plain = plainStub("127.0.0.1:9");
    const hardened = harden(plain, { ...options, target: target() });
    await new Promise((resolve) => hardened.waitForReady(Date.now() + 2_000, resolve));

    while (servers.some(({ runs }) => runs.length === 0)) await callToEnd(protoLoader, hardened, "unary");
    await hardened.getChannel().close();
    plain.close();

    expect(hardened.getChannel().stats()).toMatchObject({ mode: "pool", target: target() });
    expect(servers.map(({ peers }) => peers.size)).toEqual([1, 1]);
  });

  it("takes the stub's own target unless another is given", async () => {
    const plain = plainStub();
    const hardened = harden(plain, options);

    const end = await callToEnd(protoLoader, hardened, "unary");
    await hardened.getChannel().close();
    plain.close();

    expect(end.error).toBeNull();
    expect(hardened.getChannel().stats().target).toBe(`dns:///${servers[0]!.address}`);
  });

  it("leaves the stub it was given as it is", async () => {
    const plain = plainStub();
    const hardened = harden(plain, { ...options, target: `static:///${servers[1]!.address}` });

    await callToEnd(protoLoader, hardened, "unary");
    await hardened.getChannel().close();
    const end = await callToEnd(protoLoader, plain, "unary");
    plain.close();

    expect(end.error).toBeNull();
    expect(servers.map(({ runs }) => runs.length)).toEqual([1, 1]);
  });

  it("knows from the stub's class which methods are safe to repeat", async () => {
    const plain = plainStub();
    const hardened = harden(plain, options);

    const read = await callToEnd(protoLoader, hardened, "read", { metadata: direct("fail-first") });
    const unary = await callToEnd(protoLoader, hardened, "unary", { metadata: direct("fail-first") });
    await hardened.getChannel().close();
    plain.close();

    expect(read.error).toBeNull();
    expect(unary.error).toMatchObject({ code: grpc.status.UNAVAILABLE, details: "not yet" });
  });

  it("gives two hardened stubs of one stub lives of their own", async () => {
    const plain = plainStub();
    const [first, second] = [harden(plain, options), harden(plain, options)];

    first.close();
    const refused = await callToEnd(protoLoader, first, "unary");
    const served = await callToEnd(protoLoader, second, "unary");
    await Promise.all([first, second].map((stub) => stub.getChannel().close()));
    plain.close();

    expect(isReason(refused.error, "CLIENT_CLOSED")).toBe(true);
    expect(served.error).toBeNull();
  });
});

describe("without credentials", () => {
  it("goes over the stub's own channel, and says so", async () => {
    const plain = plainStub();
    const hardened = harden(plain);

    await callToEnd(protoLoader, plain, "unary");
    await callToEnd(protoLoader, hardened, "unary");
    const { mode, state, endpoints } = hardened.getChannel().stats();
    hardened.close();

    expect({ mode, state }).toEqual({ mode: "stub-channel", state: "READY" });
    expect(endpoints).toEqual([expect.objectContaining({ state: "READY", breaker: "closed" })]);
    expect(servers[0]!.peers.size).toBe(1);
  });

  it("closes the stub's own channel with the hardened stub", async () => {
    const plain = plainStub();
    const hardened = harden(plain);
    await callToEnd(protoLoader, hardened, "unary");

    await hardened.getChannel().close();

    expect(plain.getChannel().getConnectivityState(false)).toBe(grpc.connectivityState.SHUTDOWN);
  });
});

describe("a stub with a #private member", () => {
  it("throws JavaScript's own TypeError from the method that uses it, before anything is sent", () => {
    const flavour = unreroutableFlavours.find(({ name }) => name === "private-member")!;
    const plain = new flavour.Client(servers[0]!.address, grpc.credentials.createInsecure());
    const hardened = harden(plain, options);

    expect(() => hardened.unary(flavour.ask("a", 0), () => {})).toThrow(
      new TypeError("Cannot read private member #unaryCalls from an object whose class did not declare it"),
    );
    expect(servers[0]!.runs).toEqual([]);
    hardened.close();
    plain.close();
  });
});

it("leaves plain calls, made once, when Holdfast is switched off", async () => {
  const plain = plainStub();
  const hardened = harden(plain, options, { env: { HOLDFAST_DISABLED: "1" } });
  const metadata = direct("fail-first", { idempotentRequest: true });

  const end = await callToEnd(protoLoader, hardened, "unary", { metadata });
  const { mode } = hardened.getChannel().stats();
  await hardened.getChannel().close();
  plain.close();

  expect(end.error).toMatchObject({ code: grpc.status.UNAVAILABLE, details: "not yet" });
  expect(servers[0]!.runs).toHaveLength(1);
  expect(mode).toBe("disabled");
});
