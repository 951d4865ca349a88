import * as grpc from "@grpc/grpc-js";
import { createChannel, stubFor } from "holdfast";
import { beforeAll, describe, expect, it } from "vitest";
import { CounterClient, unary } from "../support/counter-service.js";
import { ok, unavailable } from "../support/counting-server.js";
import { Stage } from "../support/stage.js";
import { TestAuthority, type TestCertificate } from "../support/tls-certs.js";

/** Call credentials that hand out a new token each time they are asked. */
function tokens(key: string): grpc.CallCredentials {
  let asked = 0;
  return grpc.CallCredentials.createFromMetadataGenerator((_context, callback) => {
    const metadata = new grpc.Metadata();
    metadata.set(key, `token ${++asked}`);
    callback(null, metadata);
  });
}

describe("TLS credentials combined with call credentials", () => {
  const stage = new Stage();
  let certificate: TestCertificate;
  beforeAll(async () => {
    certificate = await (await TestAuthority.create()).server();
  });

  async function open() {
    const { ca, cert, key } = certificate;
    const pair = { cert_chain: cert, private_key: key };
    const server = await stage.server({ credentials: grpc.ServerCredentials.createSsl(null, [pair]) });
    const credentials = grpc.credentials.combineChannelCredentials(
      grpc.credentials.createSsl(ca),
      tokens("of-the-channel"),
    );
    const retry = { backoff: { kind: "immediate" }, throttle: false } as const;
    const methods = { "holdfast.test.Counter": { idempotent: true } };
    const channel = createChannel(`static:///${server.address}`, { credentials, retry, methods });
    stage.use({ close: () => channel.close() });
    return { server, client: stubFor(CounterClient, channel) };
  }

  it("are asked for each attempt", async () => {
    const { server, client } = await open();
    server.script([unavailable(), ok("second")]);

    const result = await unary(client, "a");

    expect(result).toEqual({ ok: true, text: "second" });
    expect(server.calls.map(({ metadata }) => metadata.get("of-the-channel"))).toEqual([
      ["token 1"],
      ["token 2"],
    ]);
  });

  it("are sent beside those of the call", async () => {
    const { server, client } = await open();

    await unary(client, "a", { credentials: tokens("of-the-call") });

    const [{ metadata }] = server.calls as [(typeof server.calls)[number]];
    expect([metadata.get("of-the-channel"), metadata.get("of-the-call")]).toEqual([["token 1"], ["token 1"]]);
  });
});
