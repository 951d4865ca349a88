import * as grpc from "@grpc/grpc-js";
import {
  createChannel,
  type HardenOptions,
  harden,
  isReason,
  type ResilientChannel,
  stubFor,
} from "holdfast";
import { afterEach, describe, expect, it } from "vitest";
import { flavours, unreroutableFlavours } from "../fixtures/stubs/flavours.js";
import { configErrorOf, problemCount } from "../support/config-error.js";

const [flavour] = flavours as [(typeof flavours)[number]];
const TARGET = "static:///127.0.0.1:9";

const opened: { close(): unknown }[] = [];
afterEach(() => {
  for (const thing of opened.splice(0)) thing.close();
});

function use<T extends { close(): unknown }>(thing: T): T {
  opened.push(thing);
  return thing;
}

const plainStub = () => use(new flavour.Client("127.0.0.1:9", grpc.credentials.createInsecure()));
const newChannel = () => use(createChannel(TARGET, { insecure: true }));

describe.each([
  ["over a pool", { insecure: true, target: TARGET }],
  ["over a pool of the stub's own target", { insecure: true }],
  ["without credentials", {}],
] as const)("harden %s", (_mode, options: HardenOptions) => {
  it.each([
    [undefined, "the stub is undefined"],
    [null, "the stub is null"],
    [5, "the stub is a number"],
    ["users:50051", "the stub is a string"],
    [{}, "the stub is an object of class Object"],
    [new grpc.Metadata(), "the stub is an object of class Metadata"],
    [flavour.Client, "the stub is the function ServiceClientImpl"],
    [{ getUser: () => {}, close: () => {} }, "the stub is an object of class Object"],
  ])("refuses %o, which is no grpc-js client", (stub, sentence) => {
    const error = configErrorOf(() => harden(stub as unknown as grpc.Client, options));

    expect(isReason(error, "CONFIG_INVALID")).toBe(true);
    expect(error.details).toContain(`${sentence}; allowed: an instance of a @grpc/grpc-js client`);
    expect(problemCount(error)).toBe(1);
  });

  it("refuses a stub of arrow functions, and names stubFor as the way out", () => {
    const arrows = unreroutableFlavours.find(({ name }) => name === "arrow-methods")!;
    const stub = use(new arrows.Client("127.0.0.1:9", grpc.credentials.createInsecure()));

    const error = configErrorOf(() => harden(stub, options));

    expect(error.details).toContain("the methods unary, read, serverStream, clientStream, bidi are fields");
    expect(error.details).toContain("build it with stubFor(Class, channel)");
    expect(problemCount(error)).toBe(1);
  });

  it("refuses a stub that is hardened already", () => {
    const hardened = use(harden(plainStub(), options));

    const error = configErrorOf(() => harden(hardened, options));

    expect(error.details).toContain("hardened already; a second retry layer would multiply its attempts");
    expect(problemCount(error)).toBe(1);
  });

  it("refuses a stub that stubFor or channelOverride put on a channel of ours", () => {
    const channel = newChannel();
    const byHand = new flavour.Client("", grpc.credentials.createInsecure(), { channelOverride: channel });

    for (const stub of [stubFor(flavour.Client, channel), byHand]) {
      expect(configErrorOf(() => harden(stub, options)).details).toContain("hardened already");
    }
  });

  it("names the problems of stub and options together", () => {
    const bad = { ...options, timeoutMs: Number.NaN, brekaer: false } as HardenOptions;

    const error = configErrorOf(() => harden({} as grpc.Client, bad));

    expect(problemCount(error)).toBe(3);
    for (const part of ["the stub is", "timeoutMs is NaN", "did you mean breaker?"]) {
      expect(error.details).toContain(part);
    }
  });
});

describe("harden of a stub whose target grpc-js does not know", () => {
  const stubOf = (target: string) => use(new flavour.Client(target, grpc.credentials.createInsecure()));

  it.each([
    ["consul://127.0.0.1:8500/users?tag=v2", "consul://127.0.0.1:8500/users?tag=v2"],
    ["etcd:///services/users", "etcd://127.0.0.1:2379/services/users"],
  ])("says of %s where it belongs", (given, target) => {
    const error = configErrorOf(() => harden(stubOf(given), { insecure: true }));

    expect(error.details).toBe(
      `harden: 1 problem: the stub's target "${target}" is none that grpc-js knows; give harden the option target: "${target}"`,
    );
  });

  it.each([
    ["xds:///users", "write passthrough:///xds:///service"],
    ["consul://127.0.0.1:8500/", 'the target "consul://127.0.0.1:8500/" names no service'],
    ["http://users:1", "a gRPC target has no http://; write host:port"],
  ])("says what is wrong with %s, without the dns: that grpc-js puts before it", (given, sentence) => {
    const error = configErrorOf(() => harden(stubOf(given), { insecure: true }));

    expect(error.details).toContain(sentence);
    expect(error.details).not.toContain('"dns:');
    expect(problemCount(error)).toBe(1);
  });
});

describe("harden without credentials", () => {
  it("refuses a target of its own, because a stub does not give its credentials away", () => {
    const stub = plainStub();

    const error = configErrorOf(() => harden(stub, { target: TARGET }));

    expect(error.details).toBe(
      "harden: 1 problem: credentials is missing; give tls, grpc-js ChannelCredentials, or insecure: true for plaintext",
    );
  });

  it("refuses every option that needs a pool, by name", () => {
    const stub = plainStub();
    const options: HardenOptions = { loadBalancing: "pick_first", connectTimeoutMs: 5, discovery: {} };

    const error = configErrorOf(() => harden(stub, options));

    expect(problemCount(error)).toBe(3);
    for (const key of ["loadBalancing", "connectTimeoutMs", "discovery"]) {
      expect(error.details).toContain(
        `${key} needs a pool; give tls, credentials, or insecure: true for plaintext`,
      );
    }
  });

  it.each([null, 5, "fast"])("refuses %j in the place of options", (options) => {
    const stub = plainStub();

    const error = configErrorOf(() => harden(stub, options as unknown as HardenOptions));

    expect(error.details).toMatch(/options is .*; allowed: /);
  });
});

describe("stubFor", () => {
  it.each([undefined, null, "Users", {}, () => {}, Date])("refuses the class %o", (stubClass) => {
    const channel = newChannel();

    const error = configErrorOf(() => stubFor(stubClass as unknown as typeof grpc.Client, channel));

    expect(error.details).toContain("allowed: a grpc-js client class");
    expect(problemCount(error)).toBe(1);
  });

  it("refuses a channel that createChannel did not make", () => {
    const channel = plainStub().getChannel() as unknown as ResilientChannel;

    const error = configErrorOf(() => stubFor(flavour.Client, channel));

    expect(error.details).toContain("createChannel");
    expect(problemCount(error)).toBe(1);
  });

  it.each([
    [{ interceptor: [] }, "interceptors"],
    [{ interceptorProviders: [] }, "interceptor_providers"],
    [{ "grpc.enable_retries": 1 }, "grpc.enable_retries"],
  ])("refuses the client options %j, which would do nothing", (options, name) => {
    const channel = newChannel();

    const error = configErrorOf(() => stubFor(flavour.Client, channel, options as grpc.ClientOptions));

    expect(error.details).toContain(name);
  });

  it("names the problems of class and channel together", () => {
    const error = configErrorOf(() => stubFor(5 as never, null as never));

    expect(problemCount(error)).toBe(2);
  });
});
