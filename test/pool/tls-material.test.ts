import { readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { type ResolvedTlsOptions, type TlsOptions, tlsOptionsSchema } from "../../src/core/index.js";
import { type PemFiles, systemFiles } from "../../src/pool/tls-files.js";
import { TlsMaterial } from "../../src/pool/tls-material.js";
import { configErrorOf } from "../support/config-error.js";
import { ManualClock } from "../support/manual-clock.js";
import { tempFolder } from "../support/temp-folder.js";
import { EXPIRED, NOT_YET_VALID, TestAuthority, type TestCertificate } from "../support/tls-certs.js";

let authority: TestAuthority;
beforeAll(async () => {
  authority = await TestAuthority.create();
});

const RELOAD_MS = 10_000;
const SETTLE_MS = 1_000;

/** The real file system, read at once, so that a manual clock decides when. */
const files: PemFiles = { ...systemFiles, read: async (path) => systemFiles.readNow(path) };

/** Time from zero, dates of today: certificates have those. */
class DatedClock extends ManualClock {
  override epoch(): number {
    return Date.now() + this.now();
  }
}

interface Watched {
  readonly clock: DatedClock;
  readonly material: TlsMaterial;
  readonly rotations: string[];
  readonly rejections: string[];
  readonly warnings: string[];
  readonly folder: string;
  write(certificate: Partial<TestCertificate>): void;
}

function resolved(options: TlsOptions): ResolvedTlsOptions {
  return tlsOptionsSchema.parse(options);
}

/** Material of three files that are watched. */
function watched(options: TlsOptions = {}, first = authority.freshClient()): Watched {
  const folder = tempFolder();
  const write = ({ ca, cert, key }: Partial<TestCertificate>): void => {
    if (ca !== undefined) writeFileSync(join(folder, "ca.pem"), ca);
    if (cert !== undefined) writeFileSync(join(folder, "cert.pem"), cert);
    if (key !== undefined) writeFileSync(join(folder, "key.pem"), key);
  };
  write(first);
  const paths = {
    caFile: join(folder, "ca.pem"),
    certFile: join(folder, "cert.pem"),
    keyFile: join(folder, "key.pem"),
  };
  return { folder, write, ...watching({ ...paths, ...options }) };
}

function watching(options: TlsOptions) {
  const clock = new DatedClock();
  const [rotations, rejections, warnings]: [string[], string[], string[]] = [[], [], []];
  const material = new TlsMaterial(resolved(options), {
    clock,
    files,
    env: {},
    warn: (code, message) => warnings.push(`${code} ${message}`),
  });
  onTestFinished(() => material.close());
  material.start(
    (cause) => rotations.push(cause),
    (problem) => rejections.push(problem),
  );
  return { clock, material, rotations, rejections, warnings };
}

/** What a dial of this moment uses. */
function contextOf(material: TlsMaterial): unknown {
  const target = { scheme: "ipv4", path: "10.0.0.1:1" };
  const connector = material.credentials._createSecureConnector(target, {}) as unknown as {
    connectionOptions: { secureContext: unknown };
  };
  return connector.connectionOptions.secureContext;
}

describe("new content of the files", () => {
  it("is used by the next dial, over the same credentials, and told", async () => {
    const { clock, material, rotations, write } = watched();
    const before: [ChannelCredentials, unknown] = [material.credentials, contextOf(material)];

    write(authority.freshClient());
    await clock.advance(RELOAD_MS + SETTLE_MS);

    expect(material.credentials).toBe(before[0]);
    expect(contextOf(material)).not.toBe(before[1]);
    expect(rotations).toEqual(["new content of tls.caFile, tls.certFile, tls.keyFile"]);
  });

  it("is no news when it is the old content, written again", async () => {
    const first = authority.freshClient();
    const { clock, material, rotations, rejections, write } = watched({}, first);
    const before = contextOf(material);

    write(first);
    await clock.advance(5 * RELOAD_MS);

    expect([rotations, rejections, contextOf(material) === before]).toEqual([[], [], true]);
  });

  it("is seen where a folder of links is exchanged as a whole, as Kubernetes does", async () => {
    const folder = tempFolder();
    const put = async (name: string, { cert, key }: TestCertificate): Promise<void> => {
      await mkdir(join(folder, name));
      writeFileSync(join(folder, name, "tls.crt"), cert);
      writeFileSync(join(folder, name, "tls.key"), key);
      symlinkSync(name, join(folder, "..data_tmp"));
      renameSync(join(folder, "..data_tmp"), join(folder, "..data"));
    };
    await put("..2026_01", authority.freshClient());
    for (const file of ["tls.crt", "tls.key"]) symlinkSync(join("..data", file), join(folder, file));
    const paths = { certFile: join(folder, "tls.crt"), keyFile: join(folder, "tls.key") };
    const { clock, rotations } = watching(paths);

    await put("..2026_02", authority.freshClient());
    await clock.advance(RELOAD_MS + SETTLE_MS);

    expect(rotations).toEqual(["new content of tls.certFile, tls.keyFile"]);
  });

  it("is seen where an editor renames a new file over the old one", async () => {
    const { clock, folder, rotations } = watched();

    writeFileSync(join(folder, "new"), (await TestAuthority.create()).ca);
    renameSync(join(folder, "new"), join(folder, "ca.pem"));
    await clock.advance(RELOAD_MS + SETTLE_MS);

    expect(rotations).toHaveLength(1);
  });

  it("is looked for as often as reloadMs says", async () => {
    const { clock, rotations, write } = watched({ reloadMs: 500 });

    write(authority.freshClient());
    await clock.advance(500);
    expect(rotations).toEqual([]);
    await clock.advance(500);

    expect(rotations).toHaveLength(1);
  });

  it("is used twice where it changes twice", async () => {
    const { clock, rotations, write } = watched();

    for (let round = 0; round < 2; round++) {
      write(authority.freshClient());
      await clock.advance(RELOAD_MS + SETTLE_MS);
    }

    expect(rotations).toHaveLength(2);
  });
});

describe("content that is being written", () => {
  it("waits until it stays as it is: half a bundle of authorities would pass for a whole one", async () => {
    const { clock, material, rotations, write } = watched();
    const before = contextOf(material);
    const more = (await TestAuthority.create()).ca;

    write({ ca: more });
    await clock.advance(RELOAD_MS);
    write({ ca: Buffer.concat([more, authority.ca]) });
    await clock.advance(SETTLE_MS);
    expect([rotations.length, contextOf(material) === before]).toEqual([0, true]);
    await clock.advance(SETTLE_MS);

    expect(rotations).toHaveLength(1);
  });

  it("is not taken, nor told, while certificate and key do not belong together yet", async () => {
    const { clock, rotations, rejections, write } = watched();
    const next = authority.freshClient();

    write({ cert: next.cert });
    await clock.advance(RELOAD_MS);
    write({ key: next.key });
    await clock.advance(RELOAD_MS);

    expect([rotations.length, rejections]).toEqual([1, []]);
  });
});

describe("new content that is no good", () => {
  it.each<[string, (next: TestCertificate) => Partial<TestCertificate>, RegExp]>([
    [
      "a key of another certificate",
      ({ key }) => ({ key }),
      /^tls\.keyFile: is not the private key of certFile; /,
    ],
    ["no certificate", () => ({ cert: Buffer.from("") }), /^tls\.certFile: holds no PEM certificate/],
    [
      "half a certificate",
      ({ ca }) => ({ ca: ca.subarray(0, 300) }),
      /^tls\.caFile: holds no PEM certificate/,
    ],
  ])("leaves the old in use, and is told once: %s", async (_what, change, expected) => {
    const { clock, material, rotations, rejections, write } = watched();
    const before = contextOf(material);

    write(change(authority.freshClient()));
    await clock.advance(5 * RELOAD_MS);

    expect(rejections).toEqual([expect.stringMatching(expected)]);
    expect(rejections[0]).toMatch(/what was read before stays in use$/);
    expect([rotations.length, contextOf(material) === before]).toEqual([0, true]);
  });

  it("is tried again, and used once it is good", async () => {
    const { clock, rotations, rejections, write } = watched();
    const next = authority.freshClient();

    write({ cert: next.cert });
    await clock.advance(3 * RELOAD_MS);
    write({ key: next.key });
    await clock.advance(RELOAD_MS + SETTLE_MS);

    expect([rejections.length, rotations.length]).toEqual([1, 1]);
  });

  it("is told again after a time when all was well", async () => {
    const first = authority.freshClient();
    const { clock, rejections, write } = watched({}, first);

    for (const cert of [Buffer.from("x"), first.cert, Buffer.from("x")]) {
      write({ cert });
      await clock.advance(2 * RELOAD_MS);
    }

    expect(rejections).toHaveLength(2);
  });

  it("is told of files that are gone, too, and the old ones stay in use", async () => {
    const { clock, material, folder, rejections } = watched();
    const before = contextOf(material);

    renameSync(join(folder, "ca.pem"), join(folder, "away"));
    await clock.advance(RELOAD_MS + SETTLE_MS);

    expect(rejections).toEqual([expect.stringMatching(/^tls\.caFile: cannot be read: ENOENT: /)]);
    expect(contextOf(material)).toBe(before);
  });

  it.each([
    ["expired", EXPIRED, /^tls\.certFile has expired \(/],
    ["not valid yet", NOT_YET_VALID, /^tls\.certFile is not valid yet \(from /],
  ])(
    "is a certificate that is %s, as long as the old one is still good",
    async (_when, validity, expected) => {
      const { clock, rotations, rejections, write } = watched();

      write(authority.freshClient("late", validity));
      await clock.advance(2 * RELOAD_MS);

      expect(rejections).toEqual([expect.stringMatching(expected)]);
      expect(rotations).toEqual([]);
    },
  );

  it("but any certificate replaces one that has expired", async () => {
    const { clock, rotations, write } = watched({}, authority.freshClient("late", EXPIRED));

    write(authority.freshClient("later", EXPIRED));
    await clock.advance(RELOAD_MS + SETTLE_MS);

    expect(rotations).toHaveLength(1);
  });

  it("is a certificate whose day comes later, and is used from then on", async () => {
    const { clock, rotations, write } = watched({ reloadMs: 86_400_000 }, authority.freshClient("a", LONG));

    write(authority.freshClient("b", { ...NOT_YET_VALID, toDays: 30 }));
    await clock.advance(86_400_000 + SETTLE_MS);
    expect(rotations).toEqual([]);
    await clock.advance(2 * 86_400_000);

    expect(rotations).toHaveLength(1);
  });
});

const LONG = { fromDays: -1, toDays: 60 };

describe("this client's own certificate", () => {
  it.each([
    [
      "has expired",
      EXPIRED,
      /^HOLDFAST_TLS_EXPIRED the client certificate .*cert\.pem has expired \(.*: renew it$/,
    ],
    ["is not valid yet", NOT_YET_VALID, /is not valid yet \(from /],
  ])("is used all the same where it %s, with a warning", (_when, validity, expected) => {
    const { warnings } = watched({}, authority.freshClient("late", validity));

    expect(warnings).toEqual([expect.stringMatching(expected)]);
  });

  it("is warned of when it expires while it is in use", async () => {
    const { clock, warnings } = watched({ reloadMs: 86_400_000 });
    expect(warnings).toEqual([]);

    await clock.advance(3 * 86_400_000);

    expect(warnings[0]).toMatch(/has expired/);
  });
});

describe("the watch", () => {
  it("keeps no process alive, and leaves no timer when it is closed", async () => {
    const { clock, material, rotations, write } = watched();
    expect([clock.pendingTimers, clock.keepAliveTimers]).toEqual([1, 0]);

    write(authority.freshClient());
    material.close();
    await clock.advance(5 * RELOAD_MS);

    expect([clock.pendingTimers, rotations]).toEqual([0, []]);
  });

  it("says nothing when it is closed while it reads", async () => {
    const clock = new DatedClock();
    let answer: (content: Buffer) => void = () => {};
    const slow: PemFiles = { ...files, read: () => new Promise((resolve) => (answer = resolve)) };
    const caFile = join(tempFolder(), "ca.pem");
    writeFileSync(caFile, authority.ca);
    const material = new TlsMaterial(resolved({ caFile }), { clock, files: slow, env: {}, warn: () => {} });
    material.start(refuse, refuse);
    await clock.advance(RELOAD_MS);

    material.close();
    answer(Buffer.from("broken"));
    await clock.advance(0);

    expect(clock.pendingTimers).toBe(0);
  });

  it.each<[string, () => TlsOptions]>([
    ["there are no files", () => ({ ca: authority.ca })],
    ["watchFiles is false", () => ({ caFile: fileOf(authority.ca), watchFiles: false })],
  ])("does nothing where %s", async (_why, options) => {
    expect(watching(options()).clock.pendingTimers).toBe(0);
  });

  it("is one, however often it is started", () => {
    const { clock, material } = watched();

    material.start(refuse, refuse);

    expect(clock.pendingTimers).toBe(1);
  });
});

describe("TLS material", () => {
  it("names every problem of its files at once, in place of being made", () => {
    const { key } = authority.freshClient();
    const options = resolved({ ca: "junk", cert: authority.ca, key: `x${key}` });
    const make = () => new TlsMaterial(options, { clock: new ManualClock(), warn: () => {} });

    expect(configErrorOf(make).details).toBe(
      "tls: 2 problems: tls.ca: holds no PEM certificate, or a damaged one; " +
        "tls.key: holds no PEM private key without a passphrase",
    );
  });

  it("takes grpc-js's own variables for what the options leave open", () => {
    const make = (env: Record<string, string>, options: TlsOptions = {}) =>
      new TlsMaterial(resolved(options), { clock: new ManualClock(), files, env, warn: () => {} });
    const none = { GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: join(tempFolder(), "none.pem") };

    expect(configErrorOf(() => make(none)).details).toMatch(
      /GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: cannot be read: ENOENT/,
    );
    expect(make(none, { ca: authority.ca }).credentials._isSecure()).toBe(true);
    expect(configErrorOf(() => make({ GRPC_SSL_CIPHER_SUITES: "none" })).details).toMatch(
      /refused by OpenSSL/,
    );
  });

  it("can be combined with call credentials", () => {
    const { material } = watched();
    const token = credentials.createFromMetadataGenerator(() => {});

    const combined = credentials.combineChannelCredentials(material.credentials, token);

    expect(
      combined._createSecureConnector({ scheme: "ipv4", path: "10.0.0.1:1" }, {}).getCallCredentials(),
    ).toBe(token);
  });
});

function fileOf(content: Buffer): string {
  const path = join(tempFolder(), "file.pem");
  writeFileSync(path, content);
  expect(readFileSync(path)).toEqual(content);
  return path;
}

function refuse(text: string): never {
  throw new Error(text);
}
