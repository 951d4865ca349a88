import type { MetadataValue } from "@grpc/grpc-js";
import { isMetadata } from "./fit-metadata.js";
import type { AuthContext, ResolvedAuthOptions } from "./plain-options.js";
import { isThenable } from "./when-ready.js";

/** The metadata that proves who calls, by name. */
export type Credentials = readonly (readonly [name: string, values: readonly MetadataValue[]])[];

export type CredentialsSource = (context: AuthContext) => Credentials | Promise<Credentials>;

/** What HTTP/2 takes in a header; grpc-js would quote the token in its complaint. */
const TOKEN = /^[\x21-\x7e]+$/;

/** One way to ask, whichever of the two functions the user gave. */
export function credentialsSource({ getToken, getMetadata }: ResolvedAuthOptions): CredentialsSource {
  if (getToken !== undefined) return (context) => mapped(getToken(context), bearer);
  if (getMetadata !== undefined) return (context) => mapped(getMetadata(context), entries);
  throw new Error("the options were not checked");
}

function mapped(given: unknown, map: (given: unknown) => Credentials): Credentials | Promise<Credentials> {
  return isThenable(given) ? Promise.resolve(given).then(map) : map(given);
}

function bearer(token: unknown): Credentials {
  if (typeof token !== "string" || token === "") throw new Error("getToken gave no token");
  if (!TOKEN.test(token)) throw new Error("getToken gave a token with characters that no header may have");
  return [["authorization", [`Bearer ${token}`]]];
}

function entries(metadata: unknown): Credentials {
  if (!isMetadata(metadata)) throw new Error("getMetadata gave no grpc.Metadata");
  return Object.keys(metadata.getMap()).map((name) => [name, metadata.get(name)]);
}
