import * as grpc from "@grpc/grpc-js";
import { afterAll, beforeAll, expect } from "vitest";
import { type CallArgs, KINDS, type Kind } from "../support/contract-calls.js";
import { describeAllDoors, itWhere } from "../support/contract-doors.js";
import { DirectedServer, direct } from "../support/directed-server.js";
import { type TestCertificate, testAuthority } from "../support/tls-certs.js";
import { tlsServerCredentials } from "../support/tls-server.js";

let certificate: TestCertificate;
/** Over plaintext no credentials are sent. */
let server: DirectedServer;
beforeAll(async () => {
  certificate = await (await testAuthority()).server();
  server = await DirectedServer.start(tlsServerCredentials(certificate));
});
afterAll(() => server.stop());

/** Credentials of a call that count how often a token was asked for. */
function countedTokens(): { readonly credentials: grpc.CallCredentials; readonly asked: string[] } {
  const asked: string[] = [];
  const credentials = grpc.CallCredentials.createFromMetadataGenerator((context, callback) => {
    asked.push(context.service_url);
    const metadata = new grpc.Metadata();
    metadata.set("authorization", `token ${asked.length}`);
    callback(null, metadata);
  });
  return { credentials, asked };
}

describeAllDoors((entrance) => {
  const takesThem = entrance.can("callCredentials");
  const call = (kind: Kind, args: CallArgs) => {
    server.runs.length = 0;
    const credentials = grpc.credentials.createSsl(certificate.ca);
    return entrance.call(kind, args, { credentials, addresses: [server.address] });
  };

  itWhere(takesThem).each(KINDS)("sends the credentials of a %s call", async (kind) => {
    const { credentials } = countedTokens();

    const end = await call(kind, { options: { credentials } });

    expect(end.error).toBeNull();
    expect(server.runs.map((run) => run.metadata.get("authorization"))).toEqual([["token 1"]]);
  });

  itWhere(takesThem && entrance.can("retry"))(
    "asks for the credentials of a call again for each attempt, so that an expired token is renewed (R173)",
    async () => {
      const { credentials } = countedTokens();
      const metadata = direct("fail-first", { idempotentRequest: true });

      const end = await call("unary", { metadata, options: { credentials } });

      expect(end.error).toBeNull();
      expect(server.runs.map((run) => run.metadata.get("authorization"))).toEqual([["token 1"], ["token 2"]]);
    },
  );

  itWhere(takesThem)(
    "fails a call whose credentials cannot be had, and says that the server never saw it",
    async () => {
      const credentials = grpc.CallCredentials.createFromMetadataGenerator((_context, callback) => {
        callback(Object.assign(new Error("token server is down"), { code: grpc.status.UNAUTHENTICATED }));
      });

      const end = await call("unary", { options: { credentials } });

      expect(end.error).toMatchObject({
        code: grpc.status.UNAUTHENTICATED,
        processed: "no",
        origin: "local",
      });
      expect(end.error?.details).toContain("token server is down");
      expect(server.runs).toEqual([]);
    },
  );
});
