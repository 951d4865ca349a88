import { credentials } from "@grpc/grpc-js";
import { expect, it, vi } from "vitest";
import { parseAddress, type SocketAddress } from "../../src/core/index.js";
import { innerChannelFactory } from "../../src/pool/inner-channel.js";
import { poolOptionsSchema } from "../../src/pool/pool-options.js";

const made = vi.hoisted(() => [] as Record<string, unknown>[]);

vi.mock("@grpc/grpc-js", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  Channel: class {
    constructor(_target: string, _credentials: unknown, options: Record<string, unknown>) {
      made.push(options);
    }
  },
}));

/** Options of the grpc-js channel beneath one endpoint. */
function optionsBeneath(): Record<string, unknown> {
  made.length = 0;
  const make = innerChannelFactory(poolOptionsSchema.parse({}));
  make({ address: "10.0.0.1:1" }, parseAddress("10.0.0.1:1") as SocketAddress, credentials.createInsecure());
  return made[0] ?? {};
}

it("no channel beneath has a retry, hedging or load-balancing layer of its own, nor a timeout (R166, R168, R175)", () => {
  const options = optionsBeneath();

  // None given, and none that a name server could add.
  expect(options["grpc.service_config"]).toBeUndefined();
  expect(options["grpc.service_config_disable_resolution"]).toBe(1);
});

it("no channel beneath repeats a refused stream, or keeps messages to do so (R167)", () => {
  const options = optionsBeneath();

  expect([options["grpc.enable_retries"], options["grpc.per_rpc_retry_buffer_size"]]).toEqual([0, 0]);
});

it.each([
  ["a service config", "grpc.service_config", "{}"],
  ["its own retries", "grpc.enable_retries", 1],
  ["a service config from DNS", "grpc.service_config_disable_resolution", 0],
  ["shared connections", "grpc.use_local_subchannel_pool", 0],
])("no user can give a channel beneath %s (R166, R168, R169, R175)", (_what, key, value) => {
  const parsed = poolOptionsSchema.safeParse({ channelOptions: { [key]: value } });

  expect(parsed.success).toBe(false);
  expect(JSON.stringify(parsed.error?.issues)).toContain(key);
});
