import { X509Certificate } from "node:crypto";
import { credentials, ServerCredentials, status } from "@grpc/grpc-js";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CounterClient, CountingServer, unary } from "./counting-server.js";
import { type LeakBaseline, leakBaseline } from "./leak-check.js";
import { TestAuthority, type TestCertificate, testAuthority } from "./tls-certs.js";

describe("throw-away certificates", () => {
  let baseline: LeakBaseline;
  let server: CountingServer | undefined;
  let client: CounterClient | undefined;

  beforeEach(async () => {
    baseline = await leakBaseline();
  });

  afterEach(async () => {
    client?.close();
    await server?.close();
    await baseline.expectClean();
  });

  it("let a client and a server prove themselves to each other", async () => {
    const authority = await testAuthority();
    await serve(await authority.server());

    expect(await call(await authority.client())).toEqual({ ok: true, text: "a" });
  });

  it("are refused for a name they were not made for", async () => {
    const authority = await testAuthority();
    await serve(await authority.server(["DNS:elsewhere.test"]));

    const result = await call(await authority.client());

    expect(result).toMatchObject({ ok: false, error: { code: status.UNAVAILABLE } });
    expect(String(!result.ok && result.error.details)).toContain("altnames");
  });

  it("are refused by those who trust another authority", async () => {
    await serve(await (await testAuthority()).server());

    const result = await call(await (await TestAuthority.create()).client());

    expect(result).toMatchObject({ ok: false, error: { code: status.UNAVAILABLE } });
  });

  it("are made once per process and name", async () => {
    const first = await (await testAuthority()).client("ada");
    const again = await (await testAuthority()).client("ada");

    expect(again).toBe(first);
    expect(new X509Certificate(first.cert).subject).toBe("CN=ada");
  });

  async function serve(own: TestCertificate): Promise<void> {
    const pair = { private_key: own.key, cert_chain: own.cert };
    server = await CountingServer.start({ credentials: ServerCredentials.createSsl(own.ca, [pair], true) });
  }

  function call(own: TestCertificate): ReturnType<typeof unary> {
    const secure = credentials.createSsl(own.ca, own.key, own.cert);
    client = new CounterClient(server!.address, secure, { "grpc.ssl_target_name_override": "localhost" });
    return unary(client, "a");
  }
});
