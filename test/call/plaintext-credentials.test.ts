import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CallCredentials, credentials, Metadata, Server, ServerCredentials, status } from "@grpc/grpc-js";
import { type ChannelOptions, callOptions, createChannel, harden, stubFor } from "holdfast";
import { describe, expect, it } from "vitest";
import { configErrorOf } from "../support/config-error.js";
import { CounterClient, counterClient, counterService, unary } from "../support/counter-service.js";
import { failureOf, Stage } from "../support/stage.js";
import { TlsFront } from "../support/tls-front.js";

const stage = new Stage();

let asked = 0;
const token = CallCredentials.createFromMetadataGenerator((_context, callback) => {
  asked++;
  const metadata = new Metadata();
  metadata.set("authorization", "Bearer s3cret");
  callback(null, metadata);
});

const PLAINTEXT: readonly (readonly [string, ChannelOptions])[] = [
  ["insecure: true", { insecure: true }],
  ["credentials.createInsecure()", { credentials: credentials.createInsecure() }],
];

describe.each(PLAINTEXT)("callCredentials of a channel in plaintext, by %s", (_how, plaintext) => {
  const options = { ...plaintext, callCredentials: token };

  it.each([
    "dns:///users:50051",
    "localhost:1",
    "static:///127.0.0.1:1",
    "static:///unix:/tmp/s,10.0.0.1:1",
    "ipv6:[::1]:1",
  ])("are refused at once, on loopback too: %s", (target) => {
    const error = configErrorOf(() => createChannel(target, options));

    expect(error).toMatchObject({ reason: "CONFIG_INVALID" });
    expect(error.details).toMatch(
      /^createChannel: 1 problem: callCredentials are set, and \S+ is plaintext, .*; use tls, or unix: sockets$/,
    );
  });

  it.each(["unix:/tmp/holdfast-none", "static:///unix:/tmp/a,unix:/tmp/b"])(
    "may stand where all connections are unix sockets: %s",
    async (target) => {
      await createChannel(target, options).close();
    },
  );

  it("are refused by harden, too", () => {
    const stub = stage.use(counterClient("10.0.0.1:1"));

    expect(configErrorOf(() => harden(stub, options)).details).toMatch(
      /^harden: 1 problem: callCredentials are set/,
    );
  });
});

it("callCredentials may stand over TLS", async () => {
  const channel = createChannel("a:1", { tls: {}, callCredentials: token });

  await channel.close();
});

describe("credentials of a call", () => {
  it("never leave over TCP in plaintext: the call fails unsent, at once, and the endpoint is not blamed", async () => {
    const server = await stage.server();
    const { client, channel } = await stage.warm([server], { breaker: { consecutiveFailures: 1 } });
    const before = asked;

    const error = failureOf(
      await unary(client, "x", { ...callOptions({ idempotent: true }), credentials: token }),
    );

    expect(error).toMatchObject({
      code: status.INTERNAL,
      reason: "METADATA_INVALID",
      origin: "local",
      processed: "no",
    });
    expect(error.details).toMatch(
      /plaintext, where anybody on the way can read them: nothing was sent; use tls/,
    );
    expect(error.attempts).toHaveLength(1);
    expect([asked - before, server.executions.Unary]).toEqual([0, 0]);
    expect(channel.endpoints()).toMatchObject([{ state: "READY", breaker: "closed" }]);
    expect((await unary(client, "x")).ok).toBe(true);
  });

  it("never leave in plaintext from a hedged call either", async () => {
    const server = await stage.server();
    const { client } = await stage.warm([server]);
    const hedged = callOptions({ idempotent: true, hedging: { maxAttempts: 2, delayMs: 0 } } as never);

    const error = failureOf(await unary(client, "x", { ...hedged, credentials: token }));

    expect(error).toMatchObject({ code: status.INTERNAL, reason: "METADATA_INVALID", processed: "no" });
    expect(server.executions.Unary).toBe(0);
  });

  it("go over TLS", async () => {
    const server = await stage.server();
    const front = stage.use(await TlsFront.start(server.port));
    const { client } = stage.harden([front], front.secure);

    await unary(client, "x", { credentials: token });

    expect(server.calls[0]?.metadata.get("authorization")).toEqual(["Bearer s3cret"]);
  });

  it("go over a unix socket, and so do those of its channel, which nobody else can read", async () => {
    const { path, tokens } = await unixServer();
    const open = (options: ChannelOptions) => {
      const channel = createChannel(`unix:${path}`, { insecure: true, ...options });
      stage.use({ close: () => channel.close() });
      return stubFor(CounterClient, channel);
    };

    await unary(open({ callCredentials: token }), "x");
    await unary(open({}), "y", { credentials: token });

    expect(tokens).toEqual(["Bearer s3cret", "Bearer s3cret"]);
  });

  it("of a channel never leave over TCP that its endpoint set was given later", async () => {
    const server = await stage.server();
    const channel = createChannel("unix:/tmp/holdfast-none", { insecure: true, callCredentials: token });
    stage.use({ close: () => channel.close({ drainMs: 0 }) });
    channel.updateEndpoints([server.address]);

    const error = failureOf(await unary(stubFor(CounterClient, channel), "x"));

    expect(error).toMatchObject({ reason: "METADATA_INVALID", processed: "no" });
    expect(server.executions.Unary).toBe(0);
  });

  it("that add nothing hinder nothing", async () => {
    const server = await stage.server();
    const { client } = stage.harden([server]);

    expect((await unary(client, "x", { credentials: CallCredentials.createEmpty() })).ok).toBe(true);
  });
});

/** A server on a socket file, which notes the tokens it was sent. */
async function unixServer() {
  const folder = mkdtempSync(join(tmpdir(), "holdfast-uds-"));
  const path = join(folder, "s");
  const tokens: unknown[] = [];
  const server = new Server();
  server.addService(counterService, {
    unary: (
      call: { metadata: Metadata; request: Buffer },
      callback: (error: null, answer: Buffer) => void,
    ) => {
      tokens.push(call.metadata.get("authorization")[0]);
      callback(null, call.request);
    },
  } as never);
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  stage.use({
    close: () => {
      server.forceShutdown();
      rmSync(folder, { recursive: true, force: true });
    },
  });
  return { path, tokens };
}
