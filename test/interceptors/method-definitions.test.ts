/** What is known of methods from service definitions, descriptors and service configs, as it shows on real calls. */
import { create, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import * as grpc from "@grpc/grpc-js";
import { type ChannelOptions, createChannel, fromServiceConfig, harden, stubFor } from "holdfast";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { type AnyFlavour, flavours } from "../fixtures/stubs/flavours.js";
import { configErrorOf, problemCount } from "../support/config-error.js";
import { callToEnd } from "../support/contract-calls.js";
import { QUICK } from "../support/contract-doors.js";
import { DirectedServer, direct } from "../support/directed-server.js";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";

const [protoLoader, tsProto, grpcTools, handWritten] = flavours as [
  AnyFlavour,
  AnyFlavour,
  AnyFlavour,
  AnyFlavour,
];
const SERVICE = "holdfast.contract.Contract";
const TYPO = { [`${SERVICE}/Reed`]: { timeoutMs: 5 } };
const SENTENCE = `methods.${SERVICE}/Reed: ${SERVICE} has no such method (did you mean Read?)`;

const descriptors = toBinary(
  FileDescriptorSetSchema,
  create(FileDescriptorSetSchema, {
    file: [
      {
        package: "holdfast.contract",
        service: [
          {
            name: "Contract",
            method: [{ name: "Unary" }, { name: "Read", options: { idempotencyLevel: 1 } }],
          },
        ],
      },
    ],
  }),
);
const serviceConfig = {
  methodConfig: [
    {
      name: [{ service: SERVICE, method: "Read" }],
      retryPolicy: {
        maxAttempts: 2,
        initialBackoff: "0.001s",
        maxBackoff: "0.001s",
        backoffMultiplier: 1,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
};

describe("what a method is, decides on the wire whether it is repeated", () => {
  let baseline: LeakBaseline;
  let server: DirectedServer;
  beforeEach(async () => {
    baseline = await leakBaseline();
    server = await DirectedServer.start();
  });
  afterEach(async () => {
    await server.stop();
    await baseline.expectClean();
  });

  /** How a call of `method` ends whose first attempt fails UNAVAILABLE on the server. */
  async function codeOf(
    flavour: AnyFlavour,
    options: ChannelOptions,
    method: "read" | "unary",
  ): Promise<number> {
    const channel = createChannel(`static:///${server.address}`, { insecure: true, ...options });
    const { error } = await callToEnd(flavour, stubFor(flavour.Client, channel), method, {
      metadata: direct("fail-first"),
    });
    await channel.close({ drainMs: 0 });
    return error?.code ?? 0;
  }

  it.each([tsProto, grpcTools, handWritten])(
    "descriptors say it for a $name stub, whose own definitions are silent",
    async (flavour) => {
      const { OK, UNAVAILABLE } = grpc.status;

      expect(await codeOf(flavour, QUICK, "read")).toBe(UNAVAILABLE);
      expect(await codeOf(flavour, { ...QUICK, descriptors }, "read")).toBe(OK);
      expect(await codeOf(flavour, { ...QUICK, descriptors }, "unary")).toBe(UNAVAILABLE);
    },
  );

  it("a service config does so only when its owner's word is taken for it", async () => {
    const declared = fromServiceConfig(serviceConfig, { declareIdempotent: true });

    expect(await codeOf(handWritten, fromServiceConfig(serviceConfig), "read")).toBe(grpc.status.UNAVAILABLE);
    expect(await codeOf(handWritten, declared, "read")).toBe(grpc.status.OK);
    expect(await codeOf(handWritten, declared, "unary")).toBe(grpc.status.UNAVAILABLE);
  });

  it("a service config needs no such word for a method whose definition says it", async () => {
    expect(await codeOf(protoLoader, fromServiceConfig(serviceConfig), "read")).toBe(grpc.status.OK);
  });
});

describe("a method in `methods` that its service does not have is refused (B30)", () => {
  it.each([protoLoader, tsProto, grpcTools])("by stubFor, for a $name stub", async (flavour) => {
    const channel = createChannel("static:///a:1", { insecure: true, methods: TYPO });

    const error = configErrorOf(() => stubFor(flavour.Client, channel));
    await channel.close();

    expect(problemCount(error)).toBe(1);
    expect(error.details).toContain(SENTENCE);
  });

  it("by harden, once for definition and descriptors, beside every other problem", () => {
    const plain = new protoLoader.Client("a:1", grpc.credentials.createInsecure());

    const error = configErrorOf(() =>
      harden(plain, { insecure: true, descriptors, methods: TYPO, drainMs: -1 }),
    );
    plain.close();

    expect(problemCount(error)).toBe(2);
    expect(error.details).toContain(SENTENCE.split(" (")[0]);
  });

  it.each<[string, ChannelOptions]>([
    ["of a service that the stub is not of", { methods: { "a.B/Reed": { timeoutMs: 5 } } }],
    [
      "that is there",
      { methods: { [SERVICE]: { timeoutMs: 5 }, [`${SERVICE}/Bidi`]: { idempotent: true } } },
    ],
    ["while Holdfast is switched off", { enabled: false, methods: TYPO }],
  ])("but not one %s", async (_case, options) => {
    const channel = createChannel("static:///a:1", { insecure: true, ...options });

    expect(() => stubFor(protoLoader.Client, channel)).not.toThrow();
    await channel.close();
  });

  it("but not where nobody knows what methods a service has", async () => {
    const channel = createChannel("static:///a:1", { insecure: true, methods: TYPO });

    expect(() => stubFor(handWritten.Client, channel)).not.toThrow();
    await channel.close();
  });
});
