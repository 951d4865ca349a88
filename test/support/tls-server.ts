import { ServerCredentials } from "@grpc/grpc-js";
import type { ChannelOptions } from "holdfast";
import type { CountingServer, CountingServerOptions } from "./counting-server.js";
import type { Stage } from "./stage.js";
import { type TestCertificate, testAuthority } from "./tls-certs.js";

/** What a server says of itself with this certificate; `asks` for the client's, too. */
export function tlsServerCredentials(
  { ca, cert, key }: TestCertificate,
  { asks = false } = {},
): ServerCredentials {
  return ServerCredentials.createSsl(asks ? ca : null, [{ cert_chain: cert, private_key: key }], asks);
}

/** A server over TLS, and what a client needs to trust it. */
export interface SecureServer {
  readonly server: CountingServer;
  readonly secure: ChannelOptions & { readonly tls: { readonly ca: Buffer } };
}

/** A server on 127.0.0.1 whose certificate says so, of the authority of this process. */
export async function secureServer(stage: Stage, options: CountingServerOptions = {}): Promise<SecureServer> {
  const certificate = await (await testAuthority()).server();
  const credentials = tlsServerCredentials(certificate);
  return { server: await stage.server({ credentials, ...options }), secure: { tls: { ca: certificate.ca } } };
}
