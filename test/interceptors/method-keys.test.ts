/** Keys of `methods` that would be configured in vain are told where the definition of a stub is known. */
import * as grpc from "@grpc/grpc-js";
import { type ChannelOptions, createChannel, fromServiceConfig, harden, stubFor } from "holdfast";
import { beforeEach, expect, it, vi } from "vitest";
import { type AnyFlavour, flavours } from "../fixtures/stubs/flavours.js";
import { configErrorOf, problemCount } from "../support/config-error.js";

const [protoLoader, tsProto] = flavours as [AnyFlavour, AnyFlavour];
const SERVICE = "holdfast.contract.Contract";
const HEDGED = { hedging: {} };
const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
beforeEach(() => {
  emitWarning.mockClear();
});

function hardened(flavour: AnyFlavour, methods: NonNullable<ChannelOptions["methods"]>): void {
  harden(new flavour.Client("a:1", grpc.credentials.createInsecure()), { methods }).close();
}

/** What was warned of hedging; plaintext is another warning. */
function hedgingWarnings(): string[] {
  const own = emitWarning.mock.calls.filter(([, options]) => {
    return (options as { code?: unknown } | undefined)?.code === "HOLDFAST_HEDGING_IDLE";
  });
  return own.map(([text]) => String(text));
}

it.each([
  [`${SERVICE}.Read`, `methods.${SERVICE}.Read names a method; write ${SERVICE}/Read`],
  ["Read", `methods.Read names a method; write ${SERVICE}/Read`],
  [
    "holdfast.contract.Contrct/Read",
    `methods.holdfast.contract.Contrct/Read: the stub has no service holdfast.contract.Contrct (did you mean ${SERVICE}?)`,
  ],
])("tells a user of harden that a key can match no call: %s", (key, sentence) => {
  const error = configErrorOf(() => hardened(protoLoader, { [key]: { idempotent: true } }));

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(sentence);
});

it("lets several hardened stubs share one service config, which names the services of all", () => {
  const name = [
    { service: SERVICE, method: "Read" },
    { service: "holdfast.contract2.Contract" },
    { service: "a.B" },
  ];
  const shared = fromServiceConfig({ methodConfig: [{ name, timeout: "1s" }] });
  const stub = new protoLoader.Client("a:1", grpc.credentials.createInsecure());

  expect(Object.keys(shared.methods ?? {})).toHaveLength(3);
  expect(() => harden(stub, shared).close()).not.toThrow();
});

it("tells a user of stubFor of the dot in a key, but nothing of services that other stubs may have", async () => {
  const methods = { [`${SERVICE}.Read`]: { idempotent: true }, "a.B/Read": { idempotent: true } };
  const channel = createChannel("static:///a:1", { insecure: true, methods });

  const error = configErrorOf(() => stubFor(protoLoader.Client, channel));
  await channel.close();

  expect(problemCount(error)).toBe(1);
  expect(error.details).toContain(`methods.${SERVICE}.Read names a method; write ${SERVICE}/Read`);
});

it("tells once that hedging does nothing where neither configuration nor definition says idempotent", () => {
  hardened(tsProto, { [`${SERVICE}/Read`]: HEDGED });
  hardened(tsProto, { [`${SERVICE}/Read`]: HEDGED });

  expect(hedgingWarnings()).toEqual([
    `hedging of ${SERVICE}/Read does nothing: nothing declares it idempotent; say idempotent: true beside it, if running it twice does no harm`,
  ]);
});

it("tells so by stubFor too, of a whole service, and not before the stub of that service is made", async () => {
  const methods = { [SERVICE]: HEDGED, "a.B/Read": HEDGED };
  const channel = createChannel("static:///a:1", { insecure: true, methods });
  const before = hedgingWarnings();

  stubFor(tsProto.Client, channel);
  await channel.close();

  expect([before, hedgingWarnings()]).toEqual([
    [],
    [expect.stringContaining(`hedging of ${SERVICE} does nothing`)],
  ]);
});

it.each<[string, AnyFlavour, NonNullable<ChannelOptions["methods"]>]>([
  ["the definition says it", protoLoader, { [`${SERVICE}/Read`]: HEDGED }],
  ["the definition says it of one method of the service", protoLoader, { [SERVICE]: HEDGED }],
  ["the key says it", tsProto, { [`${SERVICE}/Unary`]: { hedging: {}, idempotent: true } }],
  ["the service's key says it", tsProto, { [SERVICE]: { idempotent: true }, [`${SERVICE}/Unary`]: HEDGED }],
  [
    "a method's key says it below the service's",
    tsProto,
    { [SERVICE]: HEDGED, [`${SERVICE}/Unary`]: { idempotent: true } },
  ],
  ["hedging is off", tsProto, { [`${SERVICE}/Unary`]: { hedging: false } }],
])("is silent about hedging where %s", (_case, flavour, methods) => {
  hardened(flavour, methods);

  expect(hedgingWarnings()).toEqual([]);
});
