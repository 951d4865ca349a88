import { describe, expect, it } from "vitest";
import { DialSockets } from "../../src/pool/dial-scope.js";
import { tlsErrorText } from "../../src/pool/tls-errors.js";

function error(code: string, message = "what OpenSSL says"): Error {
  return Object.assign(new Error(message), { code });
}

describe("a failure of TLS is told in one sentence that says what to do", () => {
  it.each([
    ["CERT_HAS_EXPIRED", "renew it on the server"],
    ["CERT_NOT_YET_VALID", "set this machine's clock"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "is for another name"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "is self-signed"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "an authority that is not trusted here"],
    ["UNABLE_TO_GET_ISSUER_CERT", "by tls.caFile"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "by tls.caFile"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "have the server send its whole chain"],
    ["CERT_SIGNATURE_FAILURE", "tls.caFile may be an older one"],
    ["CERT_REVOKED", "was revoked"],
    ["INVALID_PURPOSE", "made for serverAuth"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "give tls.certFile and tls.keyFile"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "refuses this client's certificate"],
    ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "refuses this client's certificate"],
    ["ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", "refuses this client's certificate"],
    ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "renew tls.certFile"],
    ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED", "renew tls.certFile"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "does not speak TLS on this port"],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "no TLS version in common"],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", "no TLS version in common"],
    ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "may ask for a client certificate"],
    ["ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL", "must offer h2"],
    ["ERR_SSL_TLSV1_UNRECOGNIZED_NAME", "by tls.serverName"],
  ])("%s", (code, advice) => {
    const text = tlsErrorText(error(code));

    expect(text).toContain(advice);
    expect(text).toContain(`(${code}`);
    expect(text).not.toMatch(/[\r\n]/);
  });

  it("with the names that were compared", () => {
    const compared = "Host: users.internal. is not in the cert's altnames: DNS:orders.internal";

    expect(tlsErrorText(error("ERR_TLS_CERT_ALTNAME_INVALID", compared))).toContain(
      `(ERR_TLS_CERT_ALTNAME_INVALID: ${compared})`,
    );
  });

  it.each([
    [
      "IP: 127.0.0.1 is not in the cert's list: ",
      "DNS:a.users.internal",
      "list; the certificate is for DNS:a.users.internal)",
    ],
    [
      "IP: 127.0.0.1 is not in the cert's list: 10.0.0.9",
      "DNS:a, IP Address:10.0.0.9",
      "10.0.0.9; the certificate is for DNS:a, IP Address:10.0.0.9)",
    ],
    ["is not in the cert's list: ", "DNS:x,".repeat(100), "; the certificate is for DNS:x,DNS:x,"],
    ["is not in the cert's list: ", undefined, "list:)"],
  ])("with the certificate's own names, where %j tells none", (compared, subjectaltname, says) => {
    const mismatch = Object.assign(error("ERR_TLS_CERT_ALTNAME_INVALID", compared), {
      cert: { subjectaltname },
    });

    const text = tlsErrorText(mismatch) ?? "";

    expect(text).toContain(says);
    expect(text.length).toBeLessThan(700);
  });

  it("also where Node gives the code alone", () => {
    expect(tlsErrorText(new Error("CERT_HAS_EXPIRED"))).toMatch(/has expired.*\(CERT_HAS_EXPIRED\)$/);
  });

  it("also where the server hangs up in the handshake", () => {
    const hungUp = "Client network socket disconnected before secure TLS connection was established";

    expect(tlsErrorText(error("ECONNRESET", hungUp))).toMatch(
      /^the server closed the connection in the TLS handshake: .* \(ECONNRESET\)$/,
    );
  });
});

it.each(["ECONNREFUSED", "ECONNRESET", "ERR_HTTP2_ERROR", ""])(
  "any other failure keeps its own words: %s",
  (code) => {
    const sockets = new DialSockets(() => {});
    sockets.fail(error(code, "connect: it\nbroke\n"));

    expect(tlsErrorText(error(code))).toBeNull();
    expect([sockets.error, sockets.failure]).toEqual(["connect: it broke", "connect: it broke"]);
  },
);
