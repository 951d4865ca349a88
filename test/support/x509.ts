import { generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { isIP } from "node:net";

/** What a certificate says, beside its key. */
export interface CertificateFacts {
  readonly commonName: string;
  /** As OpenSSL writes them: `DNS:users.internal`, `IP:127.0.0.1`. */
  readonly names?: readonly string[];
  readonly usage: "authority" | "server" | "client";
  readonly validFrom: Date;
  readonly validTo: Date;
}

/** A certificate and its private key. */
export interface Issued {
  readonly facts: CertificateFacts;
  readonly key: KeyObject;
  readonly certPem: Buffer;
  readonly keyPem: Buffer;
}

const OID = {
  ecdsaWithSha256: "2a8648ce3d040302",
  commonName: "550403",
  subjectAltName: "551d11",
  basicConstraints: "551d13",
  extKeyUsage: "551d25",
  serverAuth: "2b06010505070301",
  clientAuth: "2b06010505070302",
} as const;

/** Makes a certificate with a fresh P-256 key, signed by `issuer`, or by itself. Node cannot: it only reads them. */
export function issue(facts: CertificateFacts, issuer?: Issued): Issued {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const algorithm = sequence(oid("ecdsaWithSha256"));
  const content = sequence(
    tagged(0xa0, integer(Buffer.from([2]))),
    integer(Buffer.concat([Buffer.from([1]), randomBytes(8)])),
    algorithm,
    nameOf((issuer?.facts ?? facts).commonName),
    sequence(time(facts.validFrom), time(facts.validTo)),
    nameOf(facts.commonName),
    publicKey.export({ type: "spki", format: "der" }),
    tagged(0xa3, sequence(...extensionsOf(facts))),
  );
  const signature = sign("sha256", content, issuer?.key ?? privateKey);
  const certificate = sequence(content, algorithm, bits(signature));
  return {
    facts,
    key: privateKey,
    certPem: pem("CERTIFICATE", certificate),
    keyPem: Buffer.from(privateKey.export({ type: "pkcs8", format: "pem" })),
  };
}

function extensionsOf({ usage, names = [] }: CertificateFacts): Buffer[] {
  const constraints = extension("basicConstraints", sequence(...(usage === "authority" ? [TRUE] : [])));
  if (usage === "authority") return [constraints];
  const purpose = extension("extKeyUsage", sequence(oid(usage === "server" ? "serverAuth" : "clientAuth")));
  const alternatives = extension("subjectAltName", sequence(...names.map(alternativeName)));
  return names.length === 0 ? [constraints, purpose] : [constraints, purpose, alternatives];
}

function alternativeName(name: string): Buffer {
  const value = name.slice(name.indexOf(":") + 1);
  if (name.startsWith("DNS:")) return tagged(0x82, Buffer.from(value, "latin1"));
  if (name.startsWith("IP:") && isIP(value) === 4)
    return tagged(0x87, Buffer.from(value.split(".").map(Number)));
  throw new Error(`${name} is no DNS: or IP: name of IPv4`);
}

// DER

const TRUE = tagged(0x01, Buffer.from([0xff]));

function tagged(tag: number, ...content: readonly Buffer[]): Buffer {
  const body = Buffer.concat(content);
  const long = body.length < 0x80 ? [] : body.length < 0x100 ? [0x81] : [0x82, body.length >> 8];
  return Buffer.concat([Buffer.from([tag, ...long, body.length & 0xff]), body]);
}

function sequence(...content: readonly Buffer[]): Buffer {
  return tagged(0x30, ...content);
}

function integer(value: Buffer): Buffer {
  return tagged(0x02, value);
}

function oid(name: keyof typeof OID): Buffer {
  return tagged(0x06, Buffer.from(OID[name], "hex"));
}

function bits(value: Buffer): Buffer {
  return tagged(0x03, Buffer.from([0]), value);
}

function extension(name: keyof typeof OID, value: Buffer): Buffer {
  return sequence(oid(name), tagged(0x04, value));
}

function nameOf(commonName: string): Buffer {
  return sequence(tagged(0x31, sequence(oid("commonName"), tagged(0x0c, Buffer.from(commonName)))));
}

/** As UTCTime, which ends in 2049. */
function time(date: Date): Buffer {
  const text = date.toISOString().replace(/[-:T]|\.\d+/g, "");
  return tagged(0x17, Buffer.from(text.slice(2), "latin1"));
}

function pem(label: string, der: Buffer): Buffer {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return Buffer.from(`-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`);
}
