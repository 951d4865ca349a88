import { credentials } from "@grpc/grpc-js";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { passthroughChannel } from "../../src/pool/inner-channel.js";
import { poolOptionsSchema } from "../../src/pool/pool-options.js";

const made = vi.hoisted(
  () => [] as { target: string; options: Record<string, unknown>; isClosed: boolean }[],
);

vi.mock("@grpc/grpc-js", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  Channel: class {
    target: string;
    isClosed = false;

    constructor(
      target: string,
      _credentials: unknown,
      readonly options: Record<string, unknown>,
    ) {
      // As grpc-js does with a scheme that it does not know.
      this.target = /^(dns|ipv4):/.test(target) ? target : `dns:${target}`;
      made.push(this);
    }

    getTarget(): string {
      return this.target;
    }

    close(): void {
      this.isClosed = true;
    }
  },
}));

beforeEach(() => {
  made.length = 0;
});

function optionsFor(options: object): Record<string, unknown> {
  passthroughChannel("dns:///users", credentials.createInsecure(), poolOptionsSchema.parse(options));
  return made[0]?.options ?? {};
}

describe("a channel to pass through to", () => {
  it("has no retries of its own, and no socket that others use", () => {
    expect(optionsFor({})).toMatchObject({
      "grpc.enable_retries": 0,
      "grpc.per_rpc_retry_buffer_size": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc.use_local_subchannel_pool": 1,
    });
  });

  it("waits between its dials as a pool does", () => {
    expect(optionsFor({})).toMatchObject({
      "grpc.initial_reconnect_backoff_ms": 1_000,
      "grpc.max_reconnect_backoff_ms": 5_000,
    });
  });

  it.each([
    [{}, 1_800_000],
    [{ idleTimeoutMs: 5_000 }, 5_000],
    [{ idleTimeoutMs: null }, 2 ** 31 - 1],
    [{ idleTimeoutMs: 2 ** 40 }, 2 ** 31 - 1],
  ])("with %j idles by itself after %i ms", (options, idleMs) => {
    expect(optionsFor(options)["grpc.client_idle_timeout_ms"]).toBe(idleMs);
  });

  it("has the name, the compression and the proxies that the user wants", () => {
    const options = optionsFor({ authority: "users.example", compression: "gzip" });

    expect(options).toMatchObject({
      "grpc.default_authority": "users.example",
      "grpc.default_compression_algorithm": 2,
    });
    expect(options).not.toHaveProperty("grpc.enable_http_proxy");
  });

  it("is closed again where grpc-js does not know its scheme", () => {
    const make = () =>
      passthroughChannel("zk:///users", credentials.createInsecure(), poolOptionsSchema.parse({}));

    expect(make).toThrow('grpc-js has no resolver of the scheme "zk"');
    expect(made.map(({ isClosed }) => isClosed)).toEqual([true]);
  });
});
