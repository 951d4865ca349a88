import { generateKeyPairSync } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import type { TlsOptions } from "../../src/core/index.js";
import { tlsProblems } from "../../src/pool/tls-check.js";
import { tempFolder } from "../support/temp-folder.js";
import { TestAuthority, type TestCertificate, testAuthority } from "../support/tls-certs.js";

let client: TestCertificate;
let other: TestCertificate;
beforeAll(async () => {
  client = await (await testAuthority()).client();
  other = await (await TestAuthority.create()).client("another client");
});

/** What is wrong with files of this content: `"keyFile is encrypted; ..."`. */
function problemsOf(content: Partial<Record<"caFile" | "certFile" | "keyFile", string | Buffer>>): string[] {
  const folder = tempFolder();
  const files = Object.entries(content).map(([key, text]) => {
    writeFileSync(join(folder, `${key}.pem`), text);
    return [key, join(folder, `${key}.pem`)];
  });
  return said(Object.fromEntries(files));
}

function said(options: TlsOptions): string[] {
  return tlsProblems(options).map(({ key, message }) => `${key} ${message}`);
}

function keyAs(options: object): string {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return privateKey.export({ type: "pkcs8", format: "pem", ...options } as never) as unknown as string;
}

describe("TLS files", () => {
  it("that fit together are accepted, and so are none", () => {
    const { ca, cert, key } = client;

    expect(problemsOf({ caFile: ca, certFile: cert, keyFile: key })).toEqual([]);
    expect(said({})).toEqual([]);
  });

  it("may hold certificate, chain and key together", () => {
    const both = Buffer.concat([client.key, client.cert, client.ca]);

    expect(problemsOf({ certFile: both, keyFile: both })).toEqual([]);
  });

  it("with several certificates must all be whole: Node would pass over the damaged one", () => {
    const damaged = `${client.ca}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`;

    expect(problemsOf({ caFile: `${client.ca}${other.ca}` })).toEqual([]);
    expect(problemsOf({ caFile: damaged })).toEqual(["caFile holds no PEM certificate, or a damaged one"]);
    expect(problemsOf({ certFile: `${client.cert}${damaged}`, keyFile: client.key })).toEqual([
      "certFile holds no PEM certificate, or a damaged one",
    ]);
  });

  it("that do not fit together are named, all of them at once", () => {
    expect(problemsOf({ certFile: client.cert, keyFile: other.key })).toEqual([
      "keyFile is not the private key of certFile",
    ]);
    expect(problemsOf({ caFile: "junk", certFile: "junk", keyFile: "junk" })).toEqual([
      "caFile holds no PEM certificate, or a damaged one",
      "certFile holds no PEM certificate, or a damaged one",
      "keyFile holds no PEM private key without a passphrase",
    ]);
  });

  it.each([
    ["PKCS #8", {}],
    ["PKCS #1", { type: "pkcs1" }],
  ])("with an encrypted key are refused, as nobody gives its passphrase: %s", (_form, form) => {
    const keyFile = keyAs({ ...form, cipher: "aes-256-cbc", passphrase: "s3cret" });

    expect(problemsOf({ certFile: client.cert, keyFile })).toEqual([
      "keyFile is encrypted; allowed: a PEM private key without a passphrase",
    ]);
  });

  it("in DER are refused: only PEM is read", () => {
    const der = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
      type: "pkcs8",
      format: "der",
    });

    expect(problemsOf({ certFile: client.cert, keyFile: der })).toEqual([
      "keyFile holds no PEM private key without a passphrase",
    ]);
  });
});

describe("PEM text in place of files", () => {
  it.each([
    ["Buffers", (pem: Buffer) => pem],
    ["strings", String],
    ["plain bytes", (pem: Buffer) => new Uint8Array(pem)],
  ])("is accepted as %s", (_form, as) => {
    const { ca, cert, key } = client;

    expect(said({ ca: as(ca), cert: as(cert), key: as(key) })).toEqual([]);
  });

  it("is named by its own keys where it is no good", () => {
    expect(said({ ca: "ca.pem", cert: client.cert, key: other.key })).toEqual([
      "ca holds no PEM certificate, or a damaged one",
    ]);
    expect(said({ cert: client.cert, key: other.key })).toEqual(["key is not the private key of cert"]);
  });

  it("goes together with files", () => {
    const keyFile = join(tempFolder(), "key.pem");
    writeFileSync(keyFile, client.key);

    expect(said({ cert: client.cert, keyFile })).toEqual([]);
  });
});

describe("a TLS file that cannot be read", () => {
  it.each<[string, (folder: string) => string, RegExp]>([
    ["is missing", (folder) => join(folder, "none.pem"), /^cannot be read: ENOENT: .*none\.pem$/],
    ["is a folder", (folder) => folder, / is no regular file$/],
    ["is a device that never ends", () => "/dev/zero", /^\/dev\/zero is no regular file$/],
    ["is too large", large, /large\.pem has 1048577 bytes; allowed: 1048576 or less$/],
    ["lies beneath a file", (folder) => join(large(folder), "x"), /^cannot be read: ENOTDIR: /],
    ["has a path that no system takes", () => "a\0b", /^cannot be read: /],
  ])("is named with the reason: it %s", (_what, fileIn, message) => {
    const folder = tempFolder();
    mkdirSync(folder, { recursive: true });

    expect(tlsProblems({ caFile: fileIn(folder) })).toEqual([
      { key: "caFile", message: expect.stringMatching(message) },
    ]);
  });

  function large(folder: string): string {
    writeFileSync(join(folder, "large.pem"), "x".repeat(1_048_577));
    return join(folder, "large.pem");
  }
});
