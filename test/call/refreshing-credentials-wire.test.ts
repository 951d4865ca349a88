import * as grpc from "@grpc/grpc-js";
import { type ChannelOptions, callOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { canRefresh, refreshingCredentials } from "../../src/call/refreshing-credentials.js";
import { type CountingServer, unary } from "../support/counting-server.js";
import { ending, failureOf, Stage } from "../support/stage.js";
import { testAuthority } from "../support/tls-certs.js";

const stage = new Stage();

function tokensAt(server: CountingServer): unknown[] {
  return server.calls.map(({ metadata }) => metadata.get("authorization")[0]);
}

async function secureServer(): Promise<{ server: CountingServer; ca: Buffer }> {
  const { ca, cert, key } = await (await testAuthority()).server();
  const pair = [{ cert_chain: cert, private_key: key }];
  return { server: await stage.server({ credentials: grpc.ServerCredentials.createSsl(null, pair) }), ca };
}

describe("B10: refreshing credentials of a call", () => {
  it("are on the wire, by a hardened client and by bare grpc-js", async () => {
    const { server, ca } = await secureServer();
    const asked: unknown[] = [];
    const credentials = refreshingCredentials(async (context) => {
      asked.push(context);
      return { authorization: `token ${asked.length}` };
    });

    await unary((await stage.warm([server], { tls: { ca } })).client, "x", { credentials });
    await unary(stage.bareWith(server.address, grpc.credentials.createSsl(ca)), "x", { credentials });

    expect(tokensAt(server)).toEqual(["token 1", "token 2"]);
    expect(asked).toEqual(
      Array(2).fill({
        method: "/holdfast.test.Counter/Unary",
        serviceUrl: "https://127.0.0.1/holdfast.test.Counter",
        isRefresh: false,
      }),
    );
  });

  it.each([
    ["throws", () => raise("the token server is down"), "the token server is down"],
    ["gives nothing", () => undefined as never, "gave a value of type undefined"],
  ])(
    "whose fetch %s end that call with METADATA_INVALID, unsent, and no other",
    async (_how, fetch, expected) => {
      const { server, ca } = await secureServer();
      const { client, channel } = await stage.warm([server], { tls: { ca } });

      const failure = failureOf(await unary(client, "x", { credentials: refreshingCredentials(fetch) }));

      expect(failure).toMatchObject({ reason: "METADATA_INVALID", origin: "local", processed: "no" });
      expect(failure.details).toContain(expected);
      expect(ending(await unary(client, "x"))).toBe("OK");
      expect(server.executions.Unary).toBe(1);
      expect(channel.endpoints()).toMatchObject([{ state: "READY", breaker: "closed" }]);
    },
  );

  it("whose fetch never answers end with the call's deadline, and hold up no other call", async () => {
    const { server, ca } = await secureServer();
    const { client } = await stage.warm([server], { tls: { ca } });
    let asked = 0;
    const credentials = refreshingCredentials(() =>
      ++asked === 1 ? new Promise<never>(() => {}) : { authorization: "t" },
    );

    const silent = unary(client, "x", { ...callOptions({ timeoutMs: 100 }), credentials });
    const other = await unary(client, "x", { credentials });

    expect(ending(other)).toBe("OK");
    expect(ending(await silent)).toMatch(/^DEADLINE_EXCEEDED DEADLINE_EXCEEDED /);
    expect(server.executions.Unary).toBe(1);
  });
});

describe("credentials combined with the channel's", () => {
  const combined = (ca: Buffer, credentials: grpc.CallCredentials): ChannelOptions => ({
    credentials: grpc.credentials.combineChannelCredentials(grpc.credentials.createSsl(ca), credentials),
  });

  it("are on the wire of every call, and of bare grpc-js", async () => {
    const { server, ca } = await secureServer();
    const refreshing = refreshingCredentials(() => ({ authorization: "t" }));
    const options = combined(ca, refreshing);

    await unary((await stage.warm([server], options)).client, "x");
    await unary(stage.bareWith(server.address, options.credentials as grpc.ChannelCredentials), "x");

    expect(tokensAt(server)).toEqual(["t", "t"]);
  });

  it("go together with those of a call", async () => {
    const { server, ca } = await secureServer();
    const { client } = await stage.warm(
      [server],
      combined(
        ca,
        refreshingCredentials(() => ({ "api-key": "k" })),
      ),
    );

    await unary(client, "x", { credentials: refreshingCredentials(() => ({ authorization: "t" })) });

    expect(tokensAt(server)).toEqual(["t"]);
    expect(server.calls[0]?.metadata.get("api-key")).toEqual(["k"]);
  });

  it.each<[string, (done: (error: Error | null, metadata?: grpc.Metadata) => void) => void]>([
    ["neither error nor metadata", (done) => done(null)],
    ["what is no Metadata", (done) => done(null, "Bearer t" as never)],
  ])("that give %s end the call, not the process", async (_what, answer) => {
    const { server, ca } = await secureServer();
    const credentials = grpc.CallCredentials.createFromMetadataGenerator((_asked, done) => answer(done));
    const { client } = await stage.warm([server], combined(ca, credentials));

    const failure = failureOf(await unary(client, "x"));

    expect(failure).toMatchObject({ reason: "METADATA_INVALID", processed: "no" });
    expect(server.executions.Unary).toBe(0);
  });
});

it("plain credentials are no refreshing ones", () => {
  expect(canRefresh(grpc.credentials.createFromMetadataGenerator(() => {}))).toBe(false);
});

function raise(message: string): never {
  throw new Error(message);
}
