import { type CertificateFacts, type Issued, issue } from "./x509.js";

const DAY_MS = 86_400_000;

/** PEM texts in memory, as `credentials.createSsl(ca, key, cert)` and the server's counterpart want them. */
export interface TestCertificate {
  /** The authority to trust. */
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

/** When a certificate holds, in days from now. */
export interface TestValidity {
  readonly fromDays: number;
  readonly toDays: number;
}

const NOW: TestValidity = { fromDays: -1, toDays: 2 };
export const EXPIRED: TestValidity = { fromDays: -9, toDays: -2 };
export const NOT_YET_VALID: TestValidity = { fromDays: 2, toDays: 9 };

/** A throw-away certificate authority. Two of them do not trust each other: the "unknown issuer" outage. */
export class TestAuthority {
  readonly #own = issue({
    commonName: "holdfast test authority",
    usage: "authority",
    ...datesOf({ fromDays: -30, toDays: 30 }),
  });
  readonly #issued = new Map<string, TestCertificate>();

  static async create(): Promise<TestAuthority> {
    return new TestAuthority();
  }

  /** The authority's own certificate, which clients and servers trust. */
  get ca(): Buffer {
    return this.#own.certPem;
  }

  /** A server certificate for exactly these subject alternative names; made once per list. */
  async server(
    names: readonly string[] = ["DNS:localhost", "IP:127.0.0.1"],
    validity: TestValidity = NOW,
  ): Promise<TestCertificate> {
    return this.#issue({ commonName: "holdfast test server", usage: "server", names, ...datesOf(validity) });
  }

  /** A client certificate for mutual TLS, whose common name is `name`; made once per name. */
  async client(name = "holdfast test client", validity: TestValidity = NOW): Promise<TestCertificate> {
    return this.#issue({ commonName: name, usage: "client", ...datesOf(validity) });
  }

  /** As `client`, but a new one each time, for rotations. */
  freshClient(name = "holdfast test client", validity: TestValidity = NOW): TestCertificate {
    return this.#pemsOf(issue({ commonName: name, usage: "client", ...datesOf(validity) }, this.#own));
  }

  #issue(facts: CertificateFacts): TestCertificate {
    const { commonName, names, validTo } = facts;
    const key = JSON.stringify([commonName, names, Math.round(validTo.getTime() / DAY_MS)]);
    const issued = this.#issued.get(key) ?? this.#pemsOf(issue(facts, this.#own));
    this.#issued.set(key, issued);
    return issued;
  }

  #pemsOf({ certPem, keyPem }: Issued): TestCertificate {
    return { ca: this.ca, cert: certPem, key: keyPem };
  }
}

/** A server certificate that nobody but itself has signed. */
export function selfSigned(names: readonly string[] = ["IP:127.0.0.1"]): TestCertificate {
  const { certPem, keyPem } = issue({ commonName: "alone", usage: "server", names, ...datesOf(NOW) });
  return { ca: certPem, cert: certPem, key: keyPem };
}

let shared: Promise<TestAuthority> | undefined;

/** The authority of this process, made at its first use. */
export function testAuthority(): Promise<TestAuthority> {
  shared ??= TestAuthority.create();
  return shared;
}

function datesOf({ fromDays, toDays }: TestValidity): { readonly validFrom: Date; readonly validTo: Date } {
  const at = (days: number): Date => new Date(Date.now() + days * DAY_MS);
  return { validFrom: at(fromDays), validTo: at(toDays) };
}
