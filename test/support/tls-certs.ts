import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { isOnPath } from "./on-path.js";

const run = promisify(execFile);

const NEW_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];

/** PEM files in memory, as `credentials.createSsl(ca, key, cert)` and the server's counterpart want them. */
export interface TestCertificate {
  /** The authority to trust. */
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** Whether certificates can be made here. */
export function hasOpenssl(): boolean {
  return isOnPath("openssl");
}

/** A throw-away certificate authority. Two of them do not trust each other: the "unknown issuer" outage. */
export class TestAuthority {
  readonly #ca: { readonly cert: Buffer; readonly key: Buffer };
  readonly #issued = new Map<string, Promise<TestCertificate>>();

  private constructor(ca: { readonly cert: Buffer; readonly key: Buffer }) {
    this.#ca = ca;
  }

  static async create(): Promise<TestAuthority> {
    return inTempFolder(async (folder) => {
      const subject = ["-subj", "/CN=holdfast test authority", "-days", "2"];
      const files = ["-keyout", join(folder, "key.pem"), "-out", join(folder, "cert.pem")];
      await run("openssl", ["req", "-x509", ...NEW_KEY, ...subject, ...files]);
      return new TestAuthority(await readPair(folder));
    });
  }

  /** A server certificate for exactly these subject alternative names; made once per list. */
  server(sans: readonly string[] = ["DNS:localhost", "IP:127.0.0.1"]): Promise<TestCertificate> {
    return this.#issue(
      "holdfast test server",
      `subjectAltName=${sans.join(",")}\nextendedKeyUsage=serverAuth\n`,
    );
  }

  /** A client certificate for mutual TLS, whose common name is `name`; made once per name. */
  client(name = "holdfast test client"): Promise<TestCertificate> {
    return this.#issue(name, "extendedKeyUsage=clientAuth\n");
  }

  #issue(commonName: string, extensions: string): Promise<TestCertificate> {
    const known = this.#issued.get(commonName + extensions);
    const issued = known ?? this.#sign(commonName, extensions);
    this.#issued.set(commonName + extensions, issued);
    return issued;
  }

  #sign(commonName: string, extensions: string): Promise<TestCertificate> {
    return inTempFolder(async (folder) => {
      const file = (name: string): string => join(folder, name);
      await writeFile(file("ca.pem"), this.#ca.cert);
      await writeFile(file("ca.key"), this.#ca.key);
      await writeFile(file("extensions"), extensions);
      const request = ["-subj", `/CN=${commonName}`, "-keyout", file("key.pem"), "-out", file("request")];
      await run("openssl", ["req", "-new", ...NEW_KEY, ...request]);
      const authority = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial", "-days", "2"];
      const files = ["-in", file("request"), "-extfile", file("extensions"), "-out", file("cert.pem")];
      await run("openssl", ["x509", "-req", ...authority, ...files]);
      return { ca: this.#ca.cert, ...(await readPair(folder)) };
    });
  }
}

let shared: Promise<TestAuthority> | undefined;

/** The authority of this process, made at its first use: making keys is what costs time here. */
export function testAuthority(): Promise<TestAuthority> {
  shared ??= TestAuthority.create();
  return shared;
}

async function inTempFolder<T>(work: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "holdfast-certs-"));
  try {
    return await work(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function readPair(folder: string): Promise<{ readonly cert: Buffer; readonly key: Buffer }> {
  return { cert: await readFile(join(folder, "cert.pem")), key: await readFile(join(folder, "key.pem")) };
}
