import http2 from "node:http2";
import type * as grpc from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { type Kind, startCall } from "../contract-calls.js";
import { type Entrance, QUICK } from "../contract-doors.js";
import { direct } from "../directed-server.js";
import { turns } from "../event-loop.js";
import { grpcFrame, respondHeadersThen, respondOk, rst } from "../raw-http2-server.js";
import { harmless, type Probe, quick, raw, reasonOf, unary, unavailable, yesIf } from "./probe.js";

const failFirst = (): grpc.Metadata => direct("fail-first", { idempotentRequest: true });

export const repeatProbes = {
  async retry(entrance) {
    const end = await entrance.call("unary", { metadata: failFirst() });
    return yesIf(end.error === null);
  },

  async retryPerCall(entrance) {
    const server = await unavailable(entrance);
    const opened = entrance.open({ addresses: [server.address] });
    await unary(entrance, opened, { options: callOptions({ idempotent: true, retry: { maxAttempts: 2 } }) });
    return yesIf(server.streamsStarted === 2);
  },

  async idempotentByDefinition(entrance) {
    const end = await entrance.call("read", { metadata: direct("fail-first") });
    return yesIf(end.error === null);
  },

  async idempotentByConfiguration(entrance) {
    const methods = { "holdfast.contract.Contract/Unary": { idempotent: true } };
    const channel = { ...QUICK, methods };
    const end = await entrance.call("unary", { metadata: direct("fail-first") }, { channel });
    return yesIf(end.error === null);
  },

  async otherEndpoint(entrance) {
    const refusing = await raw(entrance, ({ stream }) => rst(stream, http2.constants.NGHTTP2_REFUSED_STREAM));
    const addresses = [refusing.address, entrance.servers[0]!.address];
    const opened = entrance.open({ addresses });
    const ends = [];
    while (refusing.streamsStarted === 0) ends.push(await unary(entrance, opened));
    return yesIf(ends.every(({ error }) => error === null));
  },

  async hedging(entrance) {
    const hedging = { maxAttempts: 2, delayMs: 0 };
    const opened = entrance.open({ channel: { ...QUICK, attemptTimeoutMs: null, hedging } });
    const expected = entrance.door.isPooled ? 2 : 1;
    while (reached(entrance) < expected) await unary(entrance, opened);
    for (const server of entrance.servers) server.runs.length = 0;
    const options = callOptions({ timeoutMs: 1_000, idempotent: true, hedging });
    const call = startCall(entrance.flavour, opened.stub, "unary", { metadata: direct("hang"), options });
    let isEnded = false;
    void call.end.then(() => {
      isEnded = true;
    });
    while (entrance.runs.length < 2 && !isEnded) await turns(1);
    call.raw.cancel();
    await call.end;
    if (reached(entrance) === 2) return "yes";
    return entrance.runs.length === 2 ? "limited" : "no";
  },

  async lostStatus(entrance) {
    return yesIf(await survivesLostStatus(entrance, "unary"));
  },

  async throttle(entrance) {
    const server = await unavailable(entrance);
    const channel = quick({ retry: { throttle: { maxTokens: 4, tokenRatio: 0.1 } } });
    const opened = entrance.open({ channel, addresses: [server.address] });
    const streams: number[] = [];
    for (let call = 0; call < 3; call++) {
      const before = server.streamsStarted;
      await unary(entrance, opened, { metadata: harmless() });
      streams.push(server.streamsStarted - before);
    }
    return yesIf(String(streams) === "2,1,1");
  },

  async replayBuffer(entrance) {
    const repeats = async (bytes: number): Promise<boolean> => {
      const channel = quick({ breaker: false, retry: { perCallBufferBytes: 1_000 } });
      const args = { metadata: failFirst(), texts: ["x".repeat(bytes)] };
      return (await entrance.call("unary", args, { channel })).error === null;
    };
    if (!(await repeats(100))) return "no";
    if (!(await repeats(2_000))) return "yes";
    const texts = Array.from({ length: 101 }, () => "x");
    const { error } = await entrance.call("clientStream", { metadata: failFirst(), texts });
    return error === null ? "no" : "limited";
  },

  async trailOnError(entrance) {
    const server = await unavailable(entrance);
    const end = await entrance.call("unary", { metadata: harmless() }, { addresses: [server.address] });
    return yesIf(attemptsOf(end.error) > 0);
  },

  async trailOnSuccess(entrance) {
    const end = await entrance.call("unary", { metadata: failFirst() });
    return yesIf(end.error === null && attemptsOf(end.status) > 0);
  },

  async certainty(entrance) {
    const refused = await entrance.call("unary", {}, { addresses: ["127.0.0.1:9"] });
    if (processedOf(refused.error) !== "no" || reasonOf(refused.error) === undefined) return "no";
    const begun = startCall(entrance.flavour, entrance.open().stub, "unary");
    begun.raw.cancel();
    return processedOf((await begun.end).error) === "no" ? "yes" : "limited";
  },
} satisfies Record<string, Probe>;

function attemptsOf(told: unknown): number {
  const attempts: unknown = Reflect.get(Object(told), "attempts");
  return Array.isArray(attempts) ? attempts.length : 0;
}

function processedOf(error: unknown): unknown {
  return Reflect.get(Object(error), "processed");
}

function reached({ servers }: Entrance): number {
  return servers.filter(({ runs }) => runs.length > 0).length;
}

/** The first attempt is answered, and its connection lost before the status; true when that led to another one. */
export async function survivesLostStatus(entrance: Entrance, kind: Kind): Promise<boolean> {
  const server = await raw(entrance, ({ stream, session, index }) => {
    if (index > 1) return respondOk(stream);
    respondHeadersThen(stream).write(grpcFrame(Buffer.alloc(0)), () => session.destroy());
  });
  const { isPooled } = entrance.door;
  const channel = isPooled ? { ...QUICK, reconnectBackoff: { initialMs: 20, jitterRatio: 0 } } : QUICK;
  await entrance.call(kind, { metadata: harmless() }, { channel, addresses: [server.address] });
  return server.streamsStarted > 1;
}
