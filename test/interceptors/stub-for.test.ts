import * as grpc from "@grpc/grpc-js";
import { type ChannelView, createChannel, isReason, type ResilientChannel, stubFor } from "holdfast";
import { afterEach, beforeEach, expect, it } from "vitest";
import { type AnyFlavour, flavours, unreroutableFlavours } from "../fixtures/stubs/flavours.js";
import { type AnyContractStub, callToEnd, KINDS } from "../support/contract-calls.js";
import { QUICK } from "../support/contract-doors.js";
import { DirectedServer, direct } from "../support/directed-server.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";

let baseline: LeakBaseline;
let server: DirectedServer;
let channel: ResilientChannel;
beforeEach(async () => {
  baseline = await leakBaseline();
  server = await DirectedServer.start();
  channel = createChannel(`static:///${server.address}`, { insecure: true, ...QUICK });
});
afterEach(async () => {
  await channel.close({ drainMs: 0 });
  await server.stop();
  await baseline.expectClean();
});

function open(flavour: AnyFlavour): { flavour: AnyFlavour; stub: AnyContractStub } {
  return { flavour, stub: stubFor(flavour.Client, channel) };
}

it("serves stubs of every flavour over the one connection of a channel", async () => {
  const stubs = flavours.map(open);

  const ends = await Promise.all(stubs.map(({ flavour, stub }) => callToEnd(flavour, stub, "bidi")));

  expect(ends.map(({ answers }) => answers)).toEqual(flavours.map(() => [["a", 1]]));
  expect(server.peers.size).toBe(1);
});

it("leaves the other stubs of a channel working when one is closed", async () => {
  const [first, ...others] = flavours.map(open);
  await callToEnd(first!.flavour, first!.stub, "unary");

  first!.stub.close();
  const refused = await callToEnd(first!.flavour, first!.stub, "unary");
  const ends = await Promise.all(others.map(({ flavour, stub }) => callToEnd(flavour, stub, "unary")));

  expect(isReason(refused.error, "CLIENT_CLOSED")).toBe(true);
  expect(ends.map(({ error }) => error)).toEqual([null, null, null]);
});

it("saves a channel from a stub that is closed, which a stub made with channelOverride by hand closes", async () => {
  const [flavour] = flavours as [AnyFlavour];
  const insecure = grpc.credentials.createInsecure();
  const { stub } = open(flavour);
  const byHand = new flavour.Client("", insecure, { channelOverride: channel });

  stub.close();
  const before = channel.isClosed;
  byHand.close();

  expect([before, channel.isClosed]).toEqual([false, true]);
});

it("closes every stub with the channel they share", async () => {
  const stubs = flavours.map(open);

  await channel.close();
  const ends = await Promise.all(stubs.map(({ flavour, stub }) => callToEnd(flavour, stub, "unary")));

  expect(ends.map(({ error }) => isReason(error, "CLIENT_CLOSED"))).toEqual([true, true, true, true]);
});

it.each(unreroutableFlavours)("serves a $name stub, which harden cannot reroute", async (flavour) => {
  const { stub } = open(flavour);

  const ends = await Promise.all(KINDS.map((kind) => callToEnd(flavour, stub, kind)));

  expect(ends.map(({ error }) => error)).toEqual([null, null, null, null]);
});

it("learns from a class which methods are safe to repeat", async () => {
  const [protoLoader] = flavours;
  const { flavour, stub } = open(protoLoader!);

  const read = await callToEnd(flavour, stub, "read", { metadata: direct("fail-first") });
  const unary = await callToEnd(flavour, stub, "unary", { metadata: direct("fail-first") });

  expect(read.error).toBeNull();
  expect(unary.error?.code).toBe(grpc.status.UNAVAILABLE);
});

it("passes interceptors on to the stub it builds", async () => {
  const methods: string[] = [];
  const noting: grpc.Interceptor = (options, nextCall) => {
    methods.push(options.method_definition.path);
    return new grpc.InterceptingCall(nextCall(options));
  };
  const stub = stubFor(flavours[0]!.Client, channel, { interceptors: [noting] });

  await callToEnd(flavours[0]!, stub, "unary");

  expect(methods).toEqual(["/holdfast.contract.Contract/Unary"]);
});

it("shows the channel's statistics through the stub", async () => {
  const stub = stubFor(flavours[0]!.Client, channel);
  await callToEnd(flavours[0]!, stub, "unary");

  const view: ChannelView = stub.getChannel();

  expect(view.stats()).toMatchObject({ mode: "pool", state: "READY", calls: { started: 1, succeeded: 1 } });
  expect(view.stats()).toEqual(channel.stats());
  expect(view.endpoints()).toEqual([expect.objectContaining({ address: server.address, state: "READY" })]);
});
