import * as grpc from "@grpc/grpc-js";
import { expect } from "vitest";
import { KINDS } from "../support/contract-calls.js";
import { describeAllDoors, itWhere } from "../support/contract-doors.js";
import { direct } from "../support/directed-server.js";

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

  itWhere(takesThem).each(KINDS)("sends the credentials of a %s call", async (kind) => {
    const { credentials } = countedTokens();

    const end = await entrance.call(kind, { options: { credentials } });

    expect(end.error).toBeNull();
    expect(entrance.runs.map((run) => run.metadata.get("authorization"))).toEqual([["token 1"]]);
  });

  itWhere(takesThem && entrance.can("retry"))(
    "asks for the credentials of a call again for each attempt, so that an expired token is renewed (R173)",
    async () => {
      const { credentials } = countedTokens();
      const metadata = direct("fail-first", { idempotentRequest: true });

      const end = await entrance.call("unary", { metadata, options: { credentials } });

      expect(end.error).toBeNull();
      expect(entrance.runs.map((run) => run.metadata.get("authorization"))).toEqual([
        ["token 1"],
        ["token 2"],
      ]);
    },
  );

  itWhere(takesThem)(
    "fails a call whose credentials cannot be had, and says that the server never saw it",
    async () => {
      const credentials = grpc.CallCredentials.createFromMetadataGenerator((_context, callback) => {
        callback(Object.assign(new Error("token server is down"), { code: grpc.status.UNAUTHENTICATED }));
      });

      const end = await entrance.call("unary", { options: { credentials } });

      expect(end.error).toMatchObject({
        code: grpc.status.UNAUTHENTICATED,
        processed: "no",
        origin: "local",
      });
      expect(end.error?.details).toContain("token server is down");
      expect(entrance.runs).toEqual([]);
    },
  );
});
