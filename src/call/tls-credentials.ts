import { type ChannelCredentials, credentials } from "@grpc/grpc-js";
import type { TlsMaterial } from "./tls-options.js";

/** grpc-js credentials of PEM texts. */
export function tlsCredentials({ ca, cert, key }: TlsMaterial): ChannelCredentials {
  return credentials.createSsl(ca, key, cert);
}
