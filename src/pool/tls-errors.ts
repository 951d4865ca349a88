/** What failed in a TLS connection, and what its user can do. Codes are Node's names for what OpenSSL says. */
const SENTENCES: readonly (readonly [code: RegExp, sentence: string])[] = [
  [
    /^CERT_HAS_EXPIRED$/,
    "the server's certificate, or one that signed it, has expired: renew it on the server, or set this machine's clock",
  ],
  [
    /^CERT_NOT_YET_VALID$/,
    "the server's certificate, or one that signed it, is not valid yet: set this machine's clock, or the server's",
  ],
  [
    /^ERR_TLS_CERT_ALTNAME_INVALID$/,
    "the server's certificate is for another name: have it made for this one, or say the name it has by tls.serverName or the endpoint's serverName",
  ],
  [
    /^DEPTH_ZERO_SELF_SIGNED_CERT$/,
    "the server's certificate is self-signed: trust it by tls.caFile, or give the server one that an authority signed",
  ],
  [
    /^SELF_SIGNED_CERT_IN_CHAIN$/,
    "the server's certificate leads to an authority that is not trusted here: name that authority's certificate by tls.caFile",
  ],
  [
    /^UNABLE_TO_(GET_ISSUER_CERT(_LOCALLY)?|VERIFY_LEAF_SIGNATURE)$/,
    "nobody that is trusted here signed the server's certificate: name the authority's certificate by tls.caFile (an older one of the same name may stand there), or have the server send its whole chain",
  ],
  [
    /^CERT_SIGNATURE_FAILURE$/,
    "the server's certificate was not signed by the authority of that name that is trusted here: tls.caFile may be an older one",
  ],
  [/^CERT_REVOKED$/, "the server's certificate was revoked: renew it on the server"],
  [
    /^(INVALID_PURPOSE|CERT_REJECTED)$/,
    "the server's certificate is not for servers: have it made for serverAuth",
  ],
  [
    /ALERT_CERTIFICATE_REQUIRED$/,
    "the server asks for a client certificate: give tls.certFile and tls.keyFile",
  ],
  [
    /ALERT_(UNKNOWN_CA|BAD_CERTIFICATE|UNSUPPORTED_CERTIFICATE|CERTIFICATE_UNKNOWN|ACCESS_DENIED)$/,
    "the server refuses this client's certificate: give one that an authority signed that the server trusts, by tls.certFile and tls.keyFile",
  ],
  [
    /ALERT_CERTIFICATE_EXPIRED$/,
    "the server refuses this client's certificate as expired: renew tls.certFile",
  ],
  [
    /ALERT_CERTIFICATE_REVOKED$/,
    "the server refuses this client's certificate as revoked: renew tls.certFile",
  ],
  [
    /^ERR_SSL_(WRONG_VERSION_NUMBER|HTTP_REQUEST|PACKET_LENGTH_TOO_LONG|UNKNOWN_PROTOCOL)$/,
    "the server does not speak TLS on this port: take its TLS port, or insecure: true for plaintext",
  ],
  [
    /(ALERT_PROTOCOL_VERSION|UNSUPPORTED_PROTOCOL|UNSUPPORTED_SSL_VERSION)$/,
    "client and server have no TLS version in common: lower tls.minVersion, or raise the server's",
  ],
  [
    /ALERT_HANDSHAKE_FAILURE$/,
    "the server ended the handshake: it may ask for a client certificate (tls.certFile and tls.keyFile), or share no cipher with this client",
  ],
  [
    /(NO_APPLICATION_PROTOCOL)$/,
    "the server speaks TLS, but no HTTP/2: it, or a proxy before it, must offer h2 (ALPN)",
  ],
  [/UNRECOGNIZED_NAME$/, "the server does not know the name it was called by: say another by tls.serverName"],
];

/** Characters of a certificate's names that an error tells: some have hundreds. */
const MAX_NAMES = 300;

/** Node says it of a server that hangs up in the handshake, with a code that would also fit a lost connection. */
const HUNG_UP = /before secure TLS connection was established/;

/**
 * One sentence for a failure of TLS, with OpenSSL's own code in brackets.
 *
 * @returns null for any other error
 */
export function tlsErrorText(error: Error): string | null {
  // Without rejecting by itself Node gives the code alone.
  const code = (error as NodeJS.ErrnoException).code ?? error.message;
  if (HUNG_UP.test(error.message)) {
    return `the server closed the connection in the TLS handshake: it may speak plaintext, or refuse this client (${code})`;
  }
  const sentence = SENTENCES.find(([pattern]) => pattern.test(code))?.[1];
  if (sentence === undefined) return null;
  const names = code === "ERR_TLS_CERT_ALTNAME_INVALID" ? `: ${comparedNames(error)}` : "";
  return `${sentence} (${code}${names})`;
}

/**
 * The names that were compared, in Node's words. For an address Node lists no names but addresses, often none; yet the
 * certificate's names are what goes into `tls.serverName`.
 */
function comparedNames(error: Error): string {
  const { subjectaltname } = (error as { cert?: { subjectaltname?: unknown } }).cert ?? {};
  const said = error.message.trim();
  if (typeof subjectaltname !== "string" || subjectaltname === "" || said.includes(subjectaltname))
    return said;
  const isCut = subjectaltname.length > MAX_NAMES;
  const shown = isCut ? `${subjectaltname.slice(0, MAX_NAMES)}...` : subjectaltname;
  return `${said.replace(/:$/, "")}; the certificate is for ${shown}`;
}
