import { AsyncLocalStorage } from "node:async_hooks";
import * as grpc from "@grpc/grpc-js";
import { callOptions, refreshingCredentials } from "holdfast";
import { vi } from "vitest";
import { startCall } from "../contract-calls.js";
import { type DoorOptions, type Entrance, QUICK } from "../contract-doors.js";
import { respondOk, respondTrailersOnly } from "../raw-http2-server.js";
import { TlsFront } from "../tls-front.js";
import { harmless, type Probe, raw, reasonOf, unary, yesIf } from "./probe.js";

interface ClientInside {
  checkOptionalUnaryResponseArguments(...args: unknown[]): unknown;
}

const storage = new AsyncLocalStorage<string>();

export const messageProbes = {
  async compression(entrance) {
    const server = await raw(entrance, ({ stream }) => respondOk(stream));
    await entrance.call(
      "unary",
      { options: callOptions({ compression: "gzip" }) },
      { addresses: [server.address] },
    );
    if (server.streamsStarted === 0) return "no";
    return yesIf((await server.request()).headers["grpc-encoding"] === "gzip");
  },

  async messageLimits(entrance) {
    const texts = ["x".repeat(100)];
    const limits = [{ maxSendMessageBytes: 50 }, { maxReceiveMessageBytes: 50 }];
    const reasons = [];
    for (const limit of limits) {
      const { error } = await entrance.call("unary", { texts, options: callOptions(limit) });
      reasons.push(reasonOf(error));
    }
    return yesIf(reasons.every((reason) => reason === "MESSAGE_TOO_LARGE"));
  },

  async metadataLimit(entrance) {
    const metadata = new grpc.Metadata();
    metadata.set("large", "x".repeat(9_000));
    const { error } = await entrance.call("unary", { metadata });
    return yesIf(reasonOf(error) === "METADATA_INVALID" && entrance.runs.length === 0);
  },

  async refreshedCredentials(entrance) {
    const tokens: string[] = [];
    const server = await raw(entrance, ({ stream, headers }) => {
      tokens.push(String(headers.authorization));
      if (headers.authorization === "token 2") respondOk(stream);
      else respondTrailersOnly(stream, grpc.status.UNAUTHENTICATED, "expired");
    });
    let token = 1;
    const callCredentials = refreshingCredentials(({ isRefresh }) => {
      if (isRefresh) token++;
      const metadata = new grpc.Metadata();
      metadata.set("authorization", `token ${token}`);
      return Promise.resolve(metadata);
    });
    const channel = { ...QUICK, callCredentials };
    const secured = await overTls(entrance, server.port);
    const end = await entrance.call("unary", { metadata: harmless() }, { channel, ...secured });
    return yesIf(end.error === null && String(tokens) === "token 1,token 2");
  },

  async callCredentials(entrance) {
    const credentials = grpc.CallCredentials.createFromMetadataGenerator((_context, callback) => {
      const metadata = new grpc.Metadata();
      metadata.set("authorization", "token");
      callback(null, metadata);
    });
    const secured = await overTls(entrance, entrance.servers[0]?.port ?? 0);
    await entrance.call("unary", { options: { credentials } }, secured);
    return yesIf(entrance.runs[0]?.metadata.get("authorization")[0] === "token");
  },

  async ownInterceptors(entrance) {
    await entrance.call("unary", {}, { client: { interceptors: [marking] } });
    return yesIf(entrance.runs[0]?.metadata.get("mark")[0] === "mark");
  },

  async callInterceptors(entrance) {
    await entrance.call("unary", { options: { interceptors: [marking] } });
    return yesIf(entrance.runs[0]?.metadata.get("mark")[0] === "mark");
  },

  async peer(entrance) {
    const { stub } = entrance.open();
    const call = startCall(entrance.flavour, stub, "unary");
    await call.end;
    try {
      return yesIf(entrance.servers.some(({ address }) => call.raw.getPeer() === address));
    } catch {
      return "no";
    }
  },

  async asyncContext(entrance) {
    const { stub } = entrance.open();
    const contexts = new Set<string | undefined>();
    const onNews = (): void => void contexts.add(storage.getStore());
    // The second waits for the connection that the first has begun.
    const first = storage.run("first", () => startCall(entrance.flavour, stub, "unary"));
    const second = storage.run("second", () => startCall(entrance.flavour, stub, "unary", { onNews }));
    await Promise.all([first.end, second.end]);
    return yesIf(String([...contexts]) === "second");
  },

  async withoutClient(entrance) {
    const opened = entrance.open();
    // What every unary call of grpc-js's Client passes.
    const made = vi.spyOn(
      grpc.Client.prototype as unknown as ClientInside,
      "checkOptionalUnaryResponseArguments",
    );
    try {
      const { error } = await unary(entrance, opened);
      return yesIf(error === null && made.mock.calls.length === 0);
    } finally {
      made.mockRestore();
    }
  },
} satisfies Record<string, Probe>;

/** Credentials go over TLS only. */
async function overTls(entrance: Entrance, port: number): Promise<DoorOptions> {
  const { credentials, address } = entrance.use(await TlsFront.start(port));
  return { credentials, addresses: [address] };
}

const marking: grpc.Interceptor = (options, nextCall) =>
  new grpc.InterceptingCall(nextCall(options), {
    start(metadata, listener, next) {
      metadata.set("mark", "mark");
      next(metadata, listener);
    },
  });
