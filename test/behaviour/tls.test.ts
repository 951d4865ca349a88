import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { credentials, ServerCredentials, status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { ClientSockets } from "../support/client-sockets.js";
import { type CountingServer, unary } from "../support/counting-server.js";
import { ending, failureOf, Stage } from "../support/stage.js";
import { tempFolder } from "../support/temp-folder.js";
import { TestAuthority, testAuthority } from "../support/tls-certs.js";

const stage = new Stage();
const ONE_TRY = { retry: { maxAttempts: 1 } };

/** A TLS server whose certificate carries these names, and the authority to trust. */
async function secureServer(names: readonly string[]): Promise<{ server: CountingServer; ca: Buffer }> {
  const { ca, cert, key } = await (await testAuthority()).server(names);
  const pair = [{ cert_chain: cert, private_key: key }];
  return { server: await stage.server({ credentials: ServerCredentials.createSsl(null, pair) }), ca };
}

describe("a TLS endpoint", () => {
  it("answers a client that trusts its authority", async () => {
    const { server, ca } = await secureServer(["IP:127.0.0.1"]);
    const { client } = stage.harden([server], { credentials: credentials.createSsl(ca) });

    const results = [await unary(client, "a"), await unary(client, "b")];

    expect(results.map(ending)).toEqual(["OK", "OK"]);
    expect(server.peers.size).toBe(1);
  });

  it("is dialled by IP and known by the service's name, which a dns target gives", async () => {
    const { server, ca } = await secureServer(["DNS:users.internal"]);
    const asked: string[] = [];
    const lookup = async (host: string) => {
      asked.push(host);
      return ["127.0.0.1"];
    };
    const hosts: string[] = [];
    server.unary = (call, callback) => {
      hosts.push(call.getHost());
      callback(null, call.request);
    };
    const target = `dns:///users.internal:${server.port}`;
    const { client } = stage.harden(target, { credentials: credentials.createSsl(ca) }, { lookup });

    const result = await unary(client, "x");

    expect([ending(result), asked]).toEqual(["OK", ["users.internal"]]);
    expect(hosts).toEqual([`users.internal:${server.port}`]);
  });

  it("is dialled by IP and known by the name that the authority option gives", async () => {
    const { server, ca } = await secureServer(["DNS:users.internal"]);
    const hosts: string[] = [];
    server.unary = (call, callback) => {
      hosts.push(call.getHost());
      callback(null, call.request);
    };
    const secure = { credentials: credentials.createSsl(ca) };
    const named = stage.harden([server], { ...secure, authority: "users.internal" });
    const unnamed = stage.harden([server], { ...secure, ...ONE_TRY });

    const results = [await unary(named.client, "x"), await unary(unnamed.client, "x")];

    expect(results.map(ending)).toEqual(["OK", "UNAVAILABLE DIAL_FAILED no"]);
    expect(hosts).toEqual(["users.internal"]);
  });

  it("of an authority nobody trusts fails the dial with the certificate's error, and leaves no socket", async () => {
    const { server } = await secureServer(["IP:127.0.0.1"]);
    const stranger = (await (await TestAuthority.create()).server()).ca;
    const sockets = stage.use(new ClientSockets());
    const { client, channel } = stage.harden([server], {
      ...ONE_TRY,
      credentials: credentials.createSsl(stranger),
    });

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toMatch(/certificate/);
    expect(channel.endpoints()[0]?.lastError?.text).toMatch(/certificate/);
    expect([sockets.all.length, sockets.open.length]).toEqual([1, 0]);
  });

  it("of another name fails the dial with the certificate's error", async () => {
    const { server, ca } = await secureServer(["DNS:orders.internal"]);
    const { client } = stage.harden(
      `dns:///users.internal:${server.port}`,
      { ...ONE_TRY, credentials: credentials.createSsl(ca) },
      { lookup: async () => ["127.0.0.1"] },
    );

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toMatch(/for another name: .*users\.internal.*orders\.internal/);
  });

  it("that asks for a client certificate gets it", async () => {
    const authority = await testAuthority();
    const { ca, cert, key } = await authority.server(["IP:127.0.0.1"]);
    const own = await authority.client("billing");
    const pair = [{ cert_chain: cert, private_key: key }];
    const server = await stage.server({ credentials: ServerCredentials.createSsl(ca, pair, true) });
    const known = credentials.createSsl(ca, own.key, own.cert);
    const { client } = stage.harden([server], { credentials: known });
    const anonymous = stage.harden([server], { ...ONE_TRY, credentials: credentials.createSsl(ca) });

    expect(ending(await unary(client, "x"))).toBe("OK");
    expect((await unary(anonymous.client, "x")).ok).toBe(false);
    expect(server.executions.Unary).toBe(1);
  });

  it("that answers in plaintext fails the dial instead of hanging", async () => {
    const plain = await stage.server();
    const { client } = stage.harden([plain], { ...ONE_TRY, credentials: credentials.createSsl() });

    expect(ending(await unary(client, "x"))).toBe("UNAVAILABLE DIAL_FAILED no");
  });
});

describe("the name of each endpoint", () => {
  /** Two servers, each with a certificate of its own, and what `:authority` they saw. */
  async function twoServers() {
    const hosts: string[] = [];
    const named = await Promise.all(
      ["a.internal", "b.internal"].map(async (serverName) => {
        const { server, ca } = await secureServer([`DNS:${serverName}`]);
        server.unary = (call, callback) => {
          hosts.push(call.getHost());
          callback(null, call.request);
        };
        return { server, ca, endpoint: { address: server.address, serverName } };
      }),
    );
    const [a, b] = named as [(typeof named)[0], (typeof named)[0]];
    return { a, b, hosts, tls: { ca: a.ca } };
  }

  it("is what its certificate must carry and what it is called by, though all are dialled by IP", async () => {
    const { a, b, hosts, tls } = await twoServers();
    const { client, channel, events } = stage.harden([a.server], { tls });
    channel.updateEndpoints([a.endpoint, b.endpoint]);
    channel.getConnectivityState(true);
    await events.ready(a.endpoint.address, b.endpoint.address);

    const results = [await unary(client, "x"), await unary(client, "y")];

    expect(results.map(ending)).toEqual(["OK", "OK"]);
    expect(hosts.sort()).toEqual(["a.internal", "b.internal"]);
  });

  it("keeps an endpoint out whose certificate is another's, and only that one", async () => {
    const { a, b, tls } = await twoServers();
    const { client, channel, events } = stage.harden([a.server], { tls, retry: false });
    channel.updateEndpoints([a.endpoint, { ...b.endpoint, serverName: "c.internal" }]);
    channel.getConnectivityState(true);
    await events.ready(a.endpoint.address);

    const results = [await unary(client, "x"), await unary(client, "y")];

    expect(results.map(ending)).toEqual(["OK", "OK"]);
    expect(b.server.executions.Unary).toBe(0);
    const { lastError } = channel.endpoints().find(({ address }) => address === b.server.address)!;
    expect(lastError?.text).toMatch(/for another name: .*c\.internal.*b\.internal/);
  });

  it("gives way to tls.serverName at the certificate, and stays in :authority", async () => {
    const { a, hosts, tls } = await twoServers();
    const { client, channel } = stage.harden([a.server], { tls: { ...tls, serverName: "a.internal" } });
    channel.updateEndpoints([{ address: a.server.address, serverName: "other.internal" }]);

    expect(ending(await unary(client, "x"))).toBe("OK");
    expect(hosts).toEqual(["other.internal"]);
  });
});

describe("mutual TLS by the tls option", () => {
  it.each(["files", "text"])("proves the client to the server, from %s", async (form) => {
    const authority = await testAuthority();
    const { ca, cert, key } = await authority.server(["IP:127.0.0.1"]);
    const own = await authority.client("billing");
    const pair = [{ cert_chain: cert, private_key: key }];
    const server = await stage.server({ credentials: ServerCredentials.createSsl(ca, pair, true) });
    const folder = tempFolder();
    const file = (name: string, pem: Buffer): string => {
      writeFileSync(join(folder, name), pem);
      return join(folder, name);
    };
    const tls =
      form === "text"
        ? { ca, cert: String(own.cert), key: own.key }
        : { caFile: file("ca", ca), certFile: file("cert", own.cert), keyFile: file("key", own.key) };

    const { client } = stage.harden([server], { tls });

    expect(ending(await unary(client, "x"))).toBe("OK");
  });
});
