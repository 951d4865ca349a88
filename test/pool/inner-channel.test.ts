import { credentials } from "@grpc/grpc-js";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { type Endpoint, parseAddress, type SocketAddress } from "../../src/core/index.js";
import { innerChannelFactory } from "../../src/pool/inner-channel.js";
import { poolOptionsSchema } from "../../src/pool/pool-options.js";

const made = vi.hoisted(() => [] as { target: string; options: Record<string, unknown> }[]);

vi.mock("@grpc/grpc-js", async (importOriginal) => ({
  ...(await importOriginal<object>()),
  Channel: class {
    constructor(target: string, _credentials: unknown, options: Record<string, unknown>) {
      made.push({ target, options });
    }
  },
}));

beforeEach(() => {
  made.length = 0;
});

/** Target and options of the inner channel that is made for an endpoint. */
function channelOf(endpoint: Endpoint, options: object = {}, dialled = endpoint.address) {
  const make = innerChannelFactory(poolOptionsSchema.parse(options));
  make(endpoint, parseAddress(dialled) as SocketAddress, credentials.createInsecure());
  const [channel] = made.splice(0);
  if (channel === undefined) throw new Error("no channel was made");
  return channel;
}

const PLAIN: Endpoint = { address: "10.0.0.1:1" };

describe("an inner channel", () => {
  it("leaves retrying, idling, connection sharing and name resolution to Holdfast", () => {
    expect(channelOf(PLAIN).options).toMatchObject({
      "grpc.enable_retries": 0,
      "grpc.per_rpc_retry_buffer_size": 0,
      "grpc.service_config_disable_resolution": 1,
      "grpc.use_local_subchannel_pool": 1,
      "grpc.client_idle_timeout_ms": 2 ** 31 - 1,
      "grpc.enable_http_proxy": 0,
    });
  });

  it("carries the limits that the user set, as grpc-js names them", () => {
    const { options } = channelOf(PLAIN, {
      maxSendMessageBytes: 7,
      maxReceiveMessageBytes: 8,
      flowControlWindowBytes: 70_000,
      keepalive: { timeMs: 20_000, timeoutMs: 3_000, permitWithoutCalls: true },
    });

    expect(options).toMatchObject({
      "grpc.max_send_message_length": 7,
      "grpc.max_receive_message_length": 8,
      "grpc-node.flow_control_window": 70_000,
      "grpc.keepalive_time_ms": 20_000,
      "grpc.keepalive_timeout_ms": 3_000,
      "grpc.keepalive_permit_without_calls": 1,
    });
  });

  it("sends no pings unless told to (R64)", () => {
    expect(Object.keys(channelOf(PLAIN).options).filter((key) => key.includes("keepalive"))).toEqual([]);
  });

  it("takes on further grpc-js options, but none that would undo what Holdfast needs", () => {
    const channelOptions = { "grpc.primary_user_agent": "kv/1", "grpc.enable_channelz": 1 };

    const { options } = channelOf(PLAIN, { channelOptions });

    expect(options).toMatchObject({ ...channelOptions, "grpc.enable_retries": 0 });
  });
});

describe("the compression of an inner channel", () => {
  const KEY = "grpc.default_compression_algorithm";

  it.each([
    ["identity", undefined],
    ["deflate", 1],
    ["gzip", 2],
  ])("of a channel with %s is grpc-js's number %s", (compression, number) => {
    expect(channelOf(PLAIN, { compression }).options[KEY]).toBe(number);
  });

  it("is the lane's where it differs from the channel's", () => {
    const make = innerChannelFactory(poolOptionsSchema.parse({ compression: "gzip" }));

    for (const compression of ["identity", "deflate"] as const) {
      make(PLAIN, parseAddress(PLAIN.address) as SocketAddress, credentials.createInsecure(), compression);
    }

    expect(made.splice(0).map(({ options }) => options[KEY])).toEqual([undefined, 1]);
  });
});

describe("the target of an inner channel", () => {
  it.each<[Endpoint, string, string]>([
    [PLAIN, "10.0.0.1:1", "ipv4:10.0.0.1:1"],
    [{ address: "[::1]:1" }, "[::1]:1", "ipv6:[::1]:1"],
    [{ address: "unix:/run/kv.sock" }, "unix:/run/kv.sock", "unix:/run/kv.sock"],
    [{ address: "users:1", isProxied: true }, "users:1", "dns:users:1"],
    [{ address: "users:1" }, "10.9.9.9:1", "ipv4:10.9.9.9:1"],
  ])("of %j is one literal address", (endpoint, dialled, target) => {
    expect(channelOf(endpoint, {}, dialled).target).toBe(target);
  });

  it("goes through the proxy of the environment only where the endpoint says so", () => {
    expect(channelOf({ address: "users:1", isProxied: true }).options["grpc.enable_http_proxy"]).toBe(1);
  });
});

describe("R170: the name on the wire and against the certificate", () => {
  const NAMED: Endpoint = { address: "10.0.0.1:1", serverName: "users.example:50051" };

  it("is the endpoint's server name, without the port for the certificate", () => {
    expect(channelOf(NAMED).options).toMatchObject({
      "grpc.default_authority": "users.example:50051",
      "grpc.ssl_target_name_override": "users.example",
    });
  });

  it("is the user's authority where one is set", () => {
    expect(channelOf(NAMED, { authority: "kv.example" }).options).toMatchObject({
      "grpc.default_authority": "kv.example",
      "grpc.ssl_target_name_override": "kv.example",
    });
  });

  it("leaves a certificate name that the user chose alone", () => {
    const channelOptions = { "grpc.ssl_target_name_override": "other.example" };

    expect(channelOf(NAMED, { channelOptions }).options).toMatchObject({
      "grpc.default_authority": "users.example:50051",
      "grpc.ssl_target_name_override": "other.example",
    });
  });

  it("is grpc-js's own where nobody named one", () => {
    expect(channelOf(PLAIN).options).not.toHaveProperty("grpc.default_authority");
  });

  it("of an IPv6 authority has brackets on the wire and none against the certificate", () => {
    expect(channelOf(PLAIN, { authority: "[2001:db8::7]:443" }).options).toMatchObject({
      "grpc.default_authority": "[2001:db8::7]:443",
      "grpc.ssl_target_name_override": "2001:db8::7",
    });
  });
});
