import { credentials } from "@grpc/grpc-js";
import { beforeEach, describe, expect, it, vi } from "vitest";

const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});

/** A copy of the library that has warned of nothing yet. */
async function freshCopy() {
  vi.resetModules();
  return import("../../src/call/index.js");
}

/** What `createChannel` refuses with. */
function detailsOf(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    return (error as { details: string }).details;
  }
  return "accepted";
}

beforeEach(() => {
  emitWarning.mockClear();
});

describe("C04: createChannel", () => {
  it("names every problem of target and options in one error, before anything is made", async () => {
    const { createChannel } = await freshCopy();
    const makeChannel = vi.fn();

    const details = detailsOf(() =>
      createChannel("gopher://a,b", { timeoutMs: -1, retries: 3 } as never, { makeChannel }),
    );

    expect(details).toMatch(/^createChannel: \d problems: /);
    for (const part of [
      "timeoutMs is -1",
      "retries is not a known key",
      "credentials is missing",
      '"gopher"',
    ])
      expect(details).toContain(part);
    expect(makeChannel).not.toHaveBeenCalled();
  });

  it.each([
    [undefined, "target is undefined"],
    [7, "target is number"],
  ])("says what a target is when it is %s", async (target, expected) => {
    const { createChannel } = await freshCopy();

    expect(detailsOf(() => createChannel(target as never, { insecure: true }))).toContain(expected);
  });

  it.each([null, undefined, "insecure", []])("survives options that are %j", async (options) => {
    const { createChannel } = await freshCopy();

    expect(detailsOf(() => createChannel("a:1", options as never))).toContain(
      "allowed: a value of type object",
    );
  });

  it("knows equal targets by one name", async () => {
    const { createChannel } = await freshCopy();

    const targets = ["users:50051", "dns:users:50051", "dns:///users:50051"].map((target) =>
      createChannel(target, { insecure: true }).getTarget(),
    );

    expect(new Set(targets)).toEqual(new Set(["dns:///users:50051"]));
  });
});

describe("a plaintext channel", () => {
  it.each([
    ["insecure: true", { insecure: true }],
    ["credentials.createInsecure()", { credentials: credentials.createInsecure() }],
  ])("by %s warns once per process", async (_how, options) => {
    const { createChannel } = await freshCopy();

    createChannel("a:1", options);
    createChannel("b:1", options);

    expect(emitWarning).toHaveBeenCalledTimes(1);
    expect(emitWarning.mock.calls[0]).toEqual([
      "the calls to dns:///a:1 go out in plaintext: fine on loopback, not across a network",
      { type: "HoldfastWarning", code: "HOLDFAST_INSECURE" },
    ]);
  });

  it("is what TLS credentials do not warn of", async () => {
    const { createChannel } = await freshCopy();

    createChannel("a:1", { credentials: credentials.createSsl() });
    createChannel("a:1", { tls: {} });

    expect(emitWarning).not.toHaveBeenCalled();
  });
});
