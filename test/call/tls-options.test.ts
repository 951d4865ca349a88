import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { inspect } from "node:util";
import { credentials } from "@grpc/grpc-js";
import { createChannel, harden } from "holdfast";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { configErrorOf } from "../support/config-error.js";
import { counterClient } from "../support/counter-service.js";
import { tempFolder } from "../support/temp-folder.js";
import { EXPIRED, TestAuthority, type TestCertificate } from "../support/tls-certs.js";

let own: TestCertificate;
let other: TestCertificate;
beforeAll(async () => {
  own = (await TestAuthority.create()).freshClient();
  other = (await TestAuthority.create()).freshClient();
});

function refusal(options: object): string {
  return configErrorOf(() => createChannel("a:1", options)).details;
}

describe("a channel is secured in exactly one way", () => {
  it.each<[object, string]>([
    [{}, "credentials is missing; give tls, grpc-js ChannelCredentials, or insecure: true for plaintext"],
    [{ tls: {}, credentials: credentials.createSsl() }, "tls: is set beside credentials; give one of them"],
    [{ tls: {}, insecure: true }, "insecure is true: is set beside tls; give one of them"],
    [
      { credentials: credentials.createSsl(), insecure: true },
      "insecure is true: is set beside credentials; give one of them",
    ],
    [{ insecure: false }, "insecure: false needs tls or credentials"],
  ])("%j is refused", (options, expected) => {
    expect(refusal(options)).toBe(`createChannel: 1 problem: ${expected}`);
  });

  it.each([
    { tls: {} },
    { tls: {}, insecure: false },
    { credentials: credentials.createSsl(), insecure: false },
    { insecure: true },
  ])("%j is accepted", async (options) => {
    await createChannel("unix:/tmp/holdfast-none", options).close();
  });

  it("and so is a hardened stub, which then has a pool", async () => {
    const stub = counterClient("10.0.0.1:1");

    const channel = harden(stub, { tls: {} }).getChannel();

    expect(channel.stats().mode).toBe("pool");
    await channel.close();
    stub.close();
  });
});

describe("what is wrong with tls is told at once, by key", () => {
  it.each<[object, string]>([
    [{ ca: "x", caFile: "ca.pem" }, "tls.caFile: set beside ca; give one of them"],
    [{ certFile: "c.pem" }, "tls.keyFile: missing; certFile needs it"],
    [{ keyFile: "k.pem" }, "tls.certFile: missing; keyFile needs it"],
    [{ cert: "x" }, "tls.key: missing; cert needs it"],
    [{ key: "x" }, "tls.cert: missing; key needs it"],
    [{ ca: 5 }, "tls.ca: allowed: PEM text, as a string or a Buffer"],
    [{ minVersion: "TLSv1.1" }, 'tls.minVersion is "TLSv1.1"; allowed: "TLSv1.2", "TLSv1.3"'],
    [{ serverName: "a:1" }, 'tls.serverName is "a:1": allowed: a host name or an IP address, without a port'],
    [{ reloadMs: 5 }, "tls.reloadMs is 5; allowed: 100 or more"],
    [{ caFlie: "x" }, "tls.caFlie is not a known key (did you mean caFile?)"],
  ])("%j", (tls, expected) => {
    expect(refusal({ tls })).toContain(expected);
  });

  it.each(["consul", "etcd"])(
    "text in place of a file for %s, which takes files only, is told once",
    (registry) => {
      const problem = refusal({ insecure: true, discovery: { [registry]: { tls: { ca: "x" } } } });

      expect(problem).toContain(
        `createChannel: 1 problem: discovery.${registry}.tls.ca is not a known key (known: caFile, `,
      );
      expect(problem).not.toContain("PEM");
    },
  );

  it("serverName beside grpc-js's own option for it", () => {
    const channelOptions = { "grpc.ssl_target_name_override": "a" };

    expect(refusal({ tls: { serverName: "b" }, channelOptions })).toBe(
      "createChannel: 1 problem: tls.serverName is set beside channelOptions grpc.ssl_target_name_override; give one of them",
    );
  });

  it("files and everything else in one error", () => {
    const folder = tempFolder();
    writeFileSync(join(folder, "cert.pem"), own.cert);
    writeFileSync(join(folder, "key.pem"), other.key);
    const [certFile, keyFile] = [join(folder, "cert.pem"), join(folder, "key.pem")];
    const none = join(folder, "none.pem");

    const both = refusal({ timeoutMs: 0, tls: { caFile: none, certFile: "/dev/null", keyFile } });

    expect(both).toMatch(/^createChannel: 3 problems: timeoutMs is 0; /);
    expect(both).toContain(`tls.caFile is "${none}": cannot be read: ENOENT: ${none}`);
    expect(both).toContain('tls.certFile is "/dev/null": /dev/null is no regular file');
    expect(refusal({ tls: { certFile, keyFile } })).toBe(
      `createChannel: 1 problem: tls.keyFile is "${keyFile}": is not the private key of certFile`,
    );
  });
});

describe("a private key stays out of every error", () => {
  const pem = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
    type: "pkcs8",
    format: "pem",
  }) as string;
  const secret = pem.replace(/-----.*-----|\n/g, "");

  it.each<[string, (key: string) => object]>([
    ["without its certificate", (key) => ({ key })],
    ["of another certificate", (key) => ({ cert: own.cert, key })],
    ["as certificate", (cert) => ({ cert, key: own.key })],
    ["as authority", (ca) => ({ ca })],
    ["in the place of a path", (keyFile) => ({ certFile: "c.pem", keyFile })],
    ["beside a file", (key) => ({ key, keyFile: "k.pem", certFile: "c.pem" })],
    ["as name", (serverName) => ({ serverName })],
    ["in a list", (key) => ({ cert: own.cert, key: [key] })],
  ])("%s", (_where, tls) => {
    for (const text of [pem, pem.replaceAll("\n", ""), secret]) {
      const error = configErrorOf(() => createChannel("a:1", { tls: tls(text) } as object));
      const told = `${inspect(error, { depth: 9, showHidden: true })}${JSON.stringify(error)}`;

      expect(error.details).toMatch(/tls\./);
      for (let at = 0; at + 12 < secret.length; at++) expect(told).not.toContain(secret.slice(at, at + 12));
    }
  });
});

it("an own certificate that has expired is warned of, once, and used all the same", async () => {
  const emitWarning = vi.spyOn(process, "emitWarning").mockImplementation(() => {});
  const late = (await TestAuthority.create()).freshClient("late", EXPIRED);

  for (let time = 0; time < 2; time++) await createChannel("a:1", { tls: late }).close();

  expect(emitWarning.mock.calls).toEqual([
    [
      expect.stringMatching(/^the client certificate tls\.cert has expired \(/),
      { type: "HoldfastWarning", code: "HOLDFAST_TLS_EXPIRED" },
    ],
  ]);
  emitWarning.mockRestore();
});
