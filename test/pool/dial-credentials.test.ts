import { CallCredentials, type ChannelCredentials, credentials, Metadata } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { DialCredentials } from "../../src/pool/dial-credentials.js";
import { DialSockets } from "../../src/pool/dial-scope.js";
import { guardCallCredentials } from "../../src/pool/guarded-credentials.js";

const TARGET = { scheme: "ipv4", path: "10.0.0.1:1" };

/** As grpc-js asks for them when it dials. */
function dialled(given: ChannelCredentials) {
  const wrapped = new DialCredentials(given, new DialSockets(() => {}));
  expect(wrapped.callCredentials).toBeNull();
  const connector = wrapped._createSecureConnector(TARGET, {});
  return { wrapped, connector };
}

describe("the call credentials of a channel's credentials", () => {
  const token = guardCallCredentials(
    CallCredentials.createFromMetadataGenerator((_asked, done) => done(null, new Metadata())),
  );
  const combined = credentials.combineChannelCredentials(credentials.createSsl(), token);

  it("can be seen on the connection, and are those that grpc-js asks", () => {
    const { wrapped, connector } = dialled(combined);

    expect(wrapped.callCredentials).toBe(token);
    expect(connector.getCallCredentials()).toBe(token);
  });

  it("are none, which grpc-js does not even ask, where the user combined none", () => {
    const { wrapped, connector } = dialled(credentials.createInsecure());
    const other = CallCredentials.createEmpty();

    expect(connector.getCallCredentials()).toBe(wrapped.callCredentials);
    expect(token.compose(connector.getCallCredentials())).toBe(token);
    expect(wrapped.callCredentials).toBeInstanceOf(other.constructor);
  });

  it("are guarded", async () => {
    const broken = CallCredentials.createFromMetadataGenerator((_asked, done) => done(null));
    const { connector } = dialled(credentials.combineChannelCredentials(credentials.createSsl(), broken));

    await expect(
      connector
        .getCallCredentials()
        .generateMetadata({ method_name: "/a.B/C", service_url: "https://a/a.B" }),
    ).rejects.toThrow("null");
  });
});
