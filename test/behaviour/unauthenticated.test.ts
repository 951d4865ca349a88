import { Metadata, status } from "@grpc/grpc-js";
import { callOptions, refreshingCredentials } from "holdfast";
import { describe, expect, it } from "vitest";
import { type CountingServer, unary } from "../support/counting-server.js";
import { endings, failureOf, Stage } from "../support/stage.js";
import { secureServer } from "../support/tls-server.js";

const stage = new Stage();
const idempotent = callOptions({ idempotent: true, timeoutMs: 5_000 });
const plain = callOptions({ timeoutMs: 5_000 });

/** A server that accepts one token only, and a source of tokens that counts what it is asked for. */
async function secured(options: { readonly accepted: string; readonly channelWide?: boolean }) {
  const { server, secure } = await secureServer(stage, {
    handler: (call, callback) => {
      const isAccepted = call.metadata.get("authorization")[0] === options.accepted;
      if (isAccepted) callback(null, call.request);
      else callback({ code: status.UNAUTHENTICATED, details: "expired", metadata: new Metadata() });
    },
  });
  let issue = 0;
  let refreshes = 0;
  const credentials = refreshingCredentials(async ({ isRefresh }) => {
    if (isRefresh) {
      refreshes++;
      issue++;
    }
    return { authorization: `token ${issue}` };
  });
  const channelWide = options.channelWide ? { callCredentials: credentials } : {};
  const { client } = await stage.warm([server], { ...secure, ...channelWide });
  const perCall = options.channelWide ? {} : { credentials };
  return { server, client, perCall, refreshes: () => refreshes };
}

function tokensAt(server: CountingServer): unknown[] {
  return server.calls.map(({ metadata }) => metadata.get("authorization")[0]);
}

describe.each([
  ["of a call", false],
  ["of a channel", true],
])("credentials %s that a server does not accept", (_whose, channelWide) => {
  it("are fetched anew, and an idempotent call is repeated with them (B10, R162)", async () => {
    const { server, client, perCall, refreshes } = await secured({ accepted: "token 1", channelWide });

    const result = await unary(client, "x", { ...idempotent, ...perCall });

    expect(result).toEqual({ ok: true, text: "x" });
    expect(tokensAt(server)).toEqual(["token 0", "token 1"]);
    expect(refreshes()).toBe(1);
  });

  it("are fetched anew once, and an idempotent call is repeated once, then it fails (B10)", async () => {
    const { server, client, perCall, refreshes } = await secured({ accepted: "none", channelWide });

    const error = failureOf(await unary(client, "x", { ...idempotent, ...perCall }));

    expect(error).toMatchObject({ code: status.UNAUTHENTICATED, reason: "REMOTE", details: "expired" });
    expect(error.attempts).toHaveLength(2);
    expect(tokensAt(server)).toEqual(["token 0", "token 1"]);
    expect(refreshes()).toBe(1);
  });

  it("are fetched anew for the next call where this one is not idempotent, and so not repeated (B10, R162)", async () => {
    const { server, client, perCall, refreshes } = await secured({ accepted: "token 1", channelWide });

    const error = failureOf(await unary(client, "first", { ...plain, ...perCall }));
    const next = await unary(client, "second", { ...plain, ...perCall });

    expect([error.code, error.attempts.length]).toEqual([status.UNAUTHENTICATED, 1]);
    expect(next.ok).toBe(true);
    expect(tokensAt(server)).toEqual(["token 0", "token 1"]);
    expect(refreshes()).toBe(1);
  });

  it("are fetched anew once for 100 calls that were refused together (B10)", async () => {
    const { server, client, perCall, refreshes } = await secured({ accepted: "token 1", channelWide });

    const calls = Array.from({ length: 100 }, () => unary(client, "x", { ...idempotent, ...perCall }));

    expect(endings(await Promise.all(calls))).toEqual({ OK: 100 });
    expect(refreshes()).toBe(1);
    expect(server.executions.Unary).toBe(200);
  });
});

it("a server's UNAUTHENTICATED is an error like any other where nothing can be fetched anew (R162)", async () => {
  const { server, client } = await secured({ accepted: "token 1" });

  const error = failureOf(await unary(client, "x", idempotent));

  expect([error.code, server.executions.Unary]).toEqual([status.UNAUTHENTICATED, 1]);
});
