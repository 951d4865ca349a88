import { CallCredentials, credentials, Metadata } from "@grpc/grpc-js";
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

const TOKEN = {
  insecure: true,
  callCredentials: CallCredentials.createFromMetadataGenerator((_options, callback) =>
    callback(null, new Metadata()),
  ),
};

function tokenWarnings(): string[] {
  const own = emitWarning.mock.calls.filter(([, options]) => {
    return (options as { code?: unknown } | undefined)?.code === "HOLDFAST_TOKEN_PLAINTEXT";
  });
  return own.map(([text]) => String(text));
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
      "dns:///a:1 is plaintext: fine on loopback, not across a network",
      { type: "HoldfastWarning", code: "HOLDFAST_INSECURE" },
    ]);
  });

  it.each(["dns:///users:50051", "static:///127.0.0.1:1,10.0.0.1:1", "ipv4:128.0.0.1:1", "localhost.evil:1"])(
    "warns once per target that a token crosses the network readable: %s",
    async (target) => {
      const { createChannel } = await freshCopy();

      for (const name of [target, target, "dns:///other:1"]) createChannel(name, TOKEN);

      expect(tokenWarnings()).toEqual([
        `${createChannel(target, TOKEN).getTarget()} is plaintext, and callCredentials send their token over it for anybody to read; use TLS`,
        expect.stringContaining("dns:///other:1 is plaintext"),
      ]);
    },
  );

  it.each(["localhost:1", "static:///127.0.0.1:1,[::1]:1,[0:0:0:0:0:0:0:1]:2", "unix:/tmp/s", "LOCALHOST"])(
    "does not warn of a token that stays on the machine: %s",
    async (target) => {
      const { createChannel } = await freshCopy();

      createChannel(target, TOKEN);

      expect(tokenWarnings()).toEqual([]);
    },
  );

  it("does not warn of a token over TLS, nor of plaintext without one", async () => {
    const { createChannel } = await freshCopy();

    createChannel("a:1", { credentials: credentials.createSsl(), callCredentials: TOKEN.callCredentials });
    createChannel("a:1", { insecure: true });

    expect(tokenWarnings()).toEqual([]);
  });

  it("is what TLS credentials do not warn of", async () => {
    const { createChannel } = await freshCopy();

    createChannel("a:1", { credentials: credentials.createSsl() });

    expect(emitWarning).not.toHaveBeenCalled();
  });
});
