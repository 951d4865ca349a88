import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { TlsFiles } from "../../src/config/tls-files.js";
import { hasOpenssl, TestAuthority, type TestCertificate, testAuthority } from "../support/tls-certs.js";
import { ConfigFolder } from "./config-folder.js";

function files(content: Record<string, string | Uint8Array>): { folder: ConfigFolder; tls: TlsFiles } {
  const folder = new ConfigFolder();
  onTestFinished(() => folder.remove());
  for (const [name, text] of Object.entries(content)) folder.write(name, text);
  return { folder, tls: new TlsFiles(folder.path) };
}

const skipped = hasOpenssl() ? "" : " (skipped: openssl is not installed)";

describe.skipIf(!hasOpenssl())(`TLS files${skipped}`, () => {
  let client: TestCertificate;
  let other: TestCertificate;
  beforeAll(async () => {
    client = await (await testAuthority()).client();
    other = await (await TestAuthority.create()).client("another client");
  });

  it("that fit together are read, beginning at the folder", () => {
    const { tls } = files({ "pki/ca.pem": client.ca, "c.pem": client.cert, "c.key": client.key });
    const options = { caFile: "pki/ca.pem", certFile: "./c.pem", keyFile: "c.key" };

    expect(tls.problemsOf(options)).toEqual([]);
    expect(tls.materialOf(options)).toEqual({ ca: client.ca, cert: client.cert, key: client.key });
  });

  it("may all be left out", () => {
    const { tls } = files({});

    expect(tls.problemsOf({})).toEqual([]);
    expect(tls.materialOf({})).toEqual({ ca: null, cert: null, key: null });
  });

  it("are used as they were checked, also when they change in between", () => {
    const { folder, tls } = files({ "ca.pem": client.ca });
    tls.problemsOf({ caFile: "ca.pem" });

    folder.write("ca.pem", "changed");

    expect(tls.materialOf({ caFile: "ca.pem" }).ca).toEqual(client.ca);
  });

  it("with several authorities must all be whole: Node would pass over the damaged one", () => {
    const damaged = `${client.ca}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;
    const { tls } = files({ "both.pem": `${client.ca}${other.ca}`, "damaged.pem": damaged });

    expect(tls.problemsOf({ caFile: "both.pem" })).toEqual([]);
    expect(tls.problemsOf({ caFile: "damaged.pem" })).toEqual([
      { file: "caFile", message: "holds no PEM certificate, or a damaged one" },
    ]);
  });

  it("that do not fit together are named, all of them at once", () => {
    const { tls } = files({ "c.pem": client.cert, "other.key": other.key, "junk.pem": "junk" });
    const problemsOf = (options: object) =>
      tls.problemsOf(options).map(({ file, message }) => `${file} ${message}`);

    expect(problemsOf({ certFile: "c.pem", keyFile: "other.key" })).toEqual([
      "keyFile is not the private key of certFile",
    ]);
    expect(problemsOf({ caFile: "junk.pem", certFile: "junk.pem", keyFile: "junk.pem" })).toEqual([
      "caFile holds no PEM certificate, or a damaged one",
      "certFile holds no PEM certificate, or a damaged one",
      "keyFile holds no PEM private key without a passphrase",
    ]);
  });
});

describe("a TLS file that cannot be read", () => {
  it.each<[string, string, RegExp]>([
    ["is missing", "none.pem", /^cannot be read: ENOENT: .*none\.pem$/],
    ["is a folder", ".", / is no regular file$/],
    ["is a device that never ends", "/dev/zero", /^\/dev\/zero is no regular file$/],
    ["is too large", "large.pem", /large\.pem has 1048577 bytes; allowed: 1048576 or less$/],
    ["has a path that no system takes", "a\0b", /^cannot be read: /],
  ])("is named with the reason: it %s", (_what, caFile, message) => {
    const { tls } = files({ "large.pem": "x".repeat(1_048_577) });

    expect(tls.problemsOf({ caFile })).toEqual([{ file: "caFile", message: expect.stringMatching(message) }]);
  });
});
