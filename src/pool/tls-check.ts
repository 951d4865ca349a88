import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { createSecureContext } from "node:tls";
import type { TlsOptions } from "../core/index.js";
import { type FileContent, type TlsPems, TlsSource } from "./tls-files.js";

/** What is wrong with one of the files, or of the texts in their place; never a part of its content. */
export interface TlsProblem {
  readonly key: "ca" | "caFile" | "cert" | "certFile" | "key" | "keyFile";
  readonly message: string;
}

/** Tries whether what the options name is what TLS needs, so that no first call finds out. */
export function tlsProblems(options: TlsOptions, folder?: string): readonly TlsProblem[] {
  const source = new TlsSource(options, undefined, folder);
  return pemProblems(source.readNow(), options);
}

/** The same of what was read. */
export function pemProblems({ ca, cert, key }: TlsPems, options: TlsOptions): readonly TlsProblem[] {
  const name = (kind: "ca" | "cert" | "key") =>
    options[kind] === undefined ? (`${kind}File` as const) : kind;
  const problem = (kind: "ca" | "cert" | "key", message: string): TlsProblem => ({
    key: name(kind),
    message,
  });
  const problems = [
    ...certificateProblem(ca).map((message) => problem("ca", message)),
    ...certificateProblem(cert).map((message) => problem("cert", message)),
    ...keyProblem(key).map((message) => problem("key", message)),
  ];
  if (problems.length > 0 || !Buffer.isBuffer(cert) || !Buffer.isBuffer(key)) return problems;
  const privateKey = privateKeyOf(key);
  if (privateKey === null || !new X509Certificate(cert).checkPrivateKey(privateKey)) {
    return [problem("key", `is not the private key of ${name("cert")}`)];
  }
  const refusal = refusalOfOpenssl(cert, key);
  return refusal === null ? [] : [problem("cert", `is refused by OpenSSL (${refusal})`)];
}

/** The first certificate of a chain: the one that a key belongs to, and that a peer sees first. */
export function leafOf(cert: FileContent): X509Certificate | null {
  return Buffer.isBuffer(cert) ? certificateOf(cert) : null;
}

/** Why a certificate is worth nothing at this time, or null. */
export function validityProblem(certificate: X509Certificate | null, epochMs: number): string | null {
  if (certificate === null) return null;
  const { validFrom, validTo } = certificate;
  if (epochMs > Date.parse(validTo)) return `has expired (${validTo})`;
  return epochMs < Date.parse(validFrom) ? `is not valid yet (from ${validFrom})` : null;
}

/** Node passes over what is no certificate, and would then trust fewer authorities than were meant, or none. */
function certificateProblem(pem: FileContent): string[] {
  if (pem === null) return [];
  if (typeof pem === "string") return [pem];
  const blocks = pem.toString("latin1").split("-----BEGIN CERTIFICATE-----").slice(1);
  const isWhole = blocks.every((block) => certificateOf(`-----BEGIN CERTIFICATE-----${block}`) !== null);
  return blocks.length > 0 && isWhole ? [] : ["holds no PEM certificate, or a damaged one"];
}

function keyProblem(pem: FileContent): string[] {
  if (pem === null) return [];
  if (typeof pem === "string") return [pem];
  if (/-----BEGIN ENCRYPTED PRIVATE KEY-----|Proc-Type: 4,ENCRYPTED/.test(pem.toString("latin1"))) {
    return ["is encrypted; allowed: a PEM private key without a passphrase"];
  }
  return privateKeyOf(pem) === null ? ["holds no PEM private key without a passphrase"] : [];
}

function certificateOf(pem: string | Buffer): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}

function privateKeyOf(pem: Buffer): KeyObject | null {
  try {
    return createPrivateKey(pem);
  } catch {
    return null;
  }
}

/** For what OpenSSL finds too weak, for instance. Its texts hold nothing of a key, but its code is enough. */
function refusalOfOpenssl(cert: Buffer, key: Buffer): string | null {
  try {
    createSecureContext({ cert, key });
    return null;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code ?? "no code";
  }
}
