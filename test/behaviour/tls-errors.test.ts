import { createServer as createPlainServer, type Server } from "node:net";
import { createServer, type TlsOptions as ServerOptions } from "node:tls";
import { status } from "@grpc/grpc-js";
import type { ChannelOptions } from "holdfast";
import { describe, expect, it } from "vitest";
import { unary } from "../support/counting-server.js";
import { failureOf, Stage } from "../support/stage.js";
import {
  EXPIRED,
  NOT_YET_VALID,
  selfSigned,
  TestAuthority,
  type TestCertificate,
  testAuthority,
} from "../support/tls-certs.js";
import { tlsServerCredentials } from "../support/tls-server.js";

const stage = new Stage();
const HERE = ["IP:127.0.0.1"];

interface Scene {
  readonly server: TestCertificate;
  readonly asks?: boolean;
  readonly tls: NonNullable<ChannelOptions["tls"]>;
}

/** The failure of a first call, and what the endpoint says of it. */
async function failure(address: string, tls: Scene["tls"]) {
  const { client, channel } = stage.harden([{ address }], { retry: false, tls });
  const error = failureOf(await unary(client, "x"));
  return { error, lastError: channel.endpoints()[0]?.lastError?.text };
}

const SCENES: readonly (readonly [string, () => Promise<Scene>, RegExp])[] = [
  [
    "has expired",
    async () => sceneOf(await (await testAuthority()).server(HERE, EXPIRED)),
    /the server's certificate, or one that signed it, has expired: .* \(CERT_HAS_EXPIRED\)/,
  ],
  [
    "is not valid yet",
    async () => sceneOf(await (await testAuthority()).server(HERE, NOT_YET_VALID)),
    /is not valid yet: .* \(CERT_NOT_YET_VALID\)/,
  ],
  [
    "is for another name",
    async () => sceneOf(await (await testAuthority()).server(["DNS:orders.internal"])),
    /is for another name: .* \(ERR_TLS_CERT_ALTNAME_INVALID: .*127\.0\.0\.1.*; the certificate is for DNS:orders\.internal\)/,
  ],
  [
    "is self-signed",
    async () => ({ server: selfSigned(), tls: { ca: (await testAuthority()).ca } }),
    /is self-signed: trust it by tls\.caFile, .* \(DEPTH_ZERO_SELF_SIGNED_CERT\)/,
  ],
  [
    "has an issuer nobody here trusts",
    async () => ({ server: await (await testAuthority()).server(HERE), tls: {} }),
    /nobody that is trusted here signed the server's certificate: .* \(UNABLE_TO_/,
  ],
  [
    "has an issuer of the same name, but another key",
    async () => ({
      server: await (await testAuthority()).server(HERE),
      tls: { ca: (await TestAuthority.create()).ca },
    }),
    /was not signed by the authority of that name that is trusted here: .* \(CERT_SIGNATURE_FAILURE\)/,
  ],
  [
    "comes with the wish for the client's, which there is none of",
    async () => ({ ...sceneOf(await (await testAuthority()).server(HERE)), asks: true }),
    /the server asks for a client certificate: give tls\.certFile and tls\.keyFile \(ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED\)/,
  ],
  [
    "comes with the wish for the client's, whose issuer it does not know",
    async () => {
      const scene = sceneOf(await (await testAuthority()).server(HERE));
      const { cert, key } = await (await TestAuthority.create()).client("stranger");
      return { ...scene, asks: true, tls: { ...scene.tls, cert, key } };
    },
    // A server on Node hangs up without a word; others send an alert, which has a sentence of its own.
    /closed after the TLS handshake, before SETTINGS arrived: the server may refuse this client's certificate/,
  ],
];

function sceneOf(server: TestCertificate): Scene {
  return { server, tls: { ca: server.ca } };
}

describe("a server's certificate that", () => {
  it.each(SCENES)(
    "%s fails the dial, with a sentence that says what to do",
    async (_what, make, expected) => {
      const { server, asks = false, tls } = await make();
      const { address } = await stage.server({ credentials: tlsServerCredentials(server, { asks }) });

      const { error, lastError } = await failure(address, tls);

      expect(error).toMatchObject({ code: status.UNAVAILABLE, reason: "DIAL_FAILED", processed: "no" });
      expect(error.details).toMatch(expected);
      expect(lastError).toMatch(expected);
    },
  );
});

describe("a server that", () => {
  it("speaks plaintext fails the dial, and the error says so", async () => {
    const { address } = await stage.server();

    const { error, lastError } = await failure(address, {});

    expect(error.details).toMatch(/does not speak TLS on this port: .* \(ERR_SSL_WRONG_VERSION_NUMBER\)/);
    expect(lastError).toMatch(/does not speak TLS/);
  });

  it("wants TLS, and is called in plaintext, fails the dial, and the error says so", async () => {
    const credentials = tlsServerCredentials(await (await testAuthority()).server(HERE));
    const { address } = await stage.server({ credentials });
    const { client, channel } = stage.harden([{ address }], { retry: false, insecure: true });

    const error = failureOf(await unary(client, "x"));

    expect(error).toMatchObject({ reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toMatch(/closed before SETTINGS arrived: the server may want TLS/);
    expect(channel.endpoints()[0]?.lastError?.text).toMatch(/the server may want TLS/);
  });

  it("cannot be dialled leaves that reason in attempts, where retries are exhausted", async () => {
    const { address } = await stage.server();
    const { client } = stage.harden([{ address }], { retry: { backoff: { kind: "immediate" } }, tls: {} });

    const error = failureOf(await unary(client, "x"));

    expect(error.reason).toBe("RETRIES_EXHAUSTED");
    expect(error.attempts.map(({ reason }) => reason)).toEqual(Array(3).fill("DIAL_FAILED"));
    for (const { details } of error.attempts) expect(details).toMatch(/does not speak TLS on this port/);
    expect(error.details).toMatch(/does not speak TLS on this port/);
  });

  it.each<[string, ServerOptions, Partial<Scene["tls"]>, RegExp]>([
    [
      "speaks an older TLS than minVersion allows",
      { maxVersion: "TLSv1.2" },
      { minVersion: "TLSv1.3" },
      /no TLS version in common: lower tls\.minVersion, .*PROTOCOL/,
    ],
    [
      "speaks no HTTP/2",
      { ALPNProtocols: ["http/1.1"] },
      {},
      /must offer h2 \(ALPN\) \(.*NO_APPLICATION_PROTOCOL/,
    ],
    [
      "asks for a client certificate in TLS 1.2",
      { maxVersion: "TLSv1.2", requestCert: true },
      {},
      /it may ask for a client certificate .*HANDSHAKE_FAILURE/,
    ],
  ])("%s fails the dial, and the error says so", async (_what, options, own, expected) => {
    const { ca, cert, key } = await (await testAuthority()).server(HERE);
    const port = await listen(createServer({ ca, cert, key, ALPNProtocols: ["h2"], ...options }));

    const { error, lastError } = await failure(`127.0.0.1:${port}`, { ca, ...own });

    expect(error).toMatchObject({ reason: "DIAL_FAILED", processed: "no" });
    expect(error.details).toMatch(expected);
    expect(lastError).toMatch(expected);
  });

  it("hangs up in the handshake fails the dial, and the error says so", async () => {
    const port = await listen(createPlainServer((socket) => socket.once("data", () => socket.end())));

    const { error, lastError } = await failure(`127.0.0.1:${port}`, {});

    expect(error.details).toMatch(/closed the connection in the TLS handshake: .* \(ECONNRESET\)/);
    expect(lastError).toMatch(/it may speak plaintext/);
  });
});

it("minVersion lets newer versions through", async () => {
  const certificate = await (await testAuthority()).server(HERE);
  const server = await stage.server({ credentials: tlsServerCredentials(certificate) });
  const { client } = stage.harden([server], { tls: { ca: certificate.ca, minVersion: "TLSv1.3" } });

  expect((await unary(client, "x")).ok).toBe(true);
});

/** @returns the port */
async function listen(server: Server): Promise<number> {
  server.on("tlsClientError", () => {});
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stage.use({ close: () => new Promise((resolve) => server.close(resolve)) });
  return (server.address() as { port: number }).port;
}
