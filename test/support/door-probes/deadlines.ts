import { EventEmitter } from "node:events";
import * as grpc from "@grpc/grpc-js";
import { callOptions } from "holdfast";
import { type CallArgs, callToEnd, startCall } from "../contract-calls.js";
import { QUICK } from "../contract-doors.js";
import { direct } from "../directed-server.js";
import { FaultProxy } from "../fault-proxy.js";
import { respondOk } from "../raw-http2-server.js";
import { harmless, type Probe, quick, raw, reasonOf, unary, yesIf } from "./probe.js";

const { CANCELLED, DEADLINE_EXCEEDED, OK } = grpc.status;

/** A server's own call, as far as clients look at it. */
function parentCall(deadline: number): grpc.ServerUnaryCall<unknown, unknown> {
  const call = Object.assign(new EventEmitter(), { cancelled: false, getDeadline: () => deadline });
  return call as unknown as grpc.ServerUnaryCall<unknown, unknown>;
}

export const deadlineProbes = {
  async timeout(entrance) {
    const options = callOptions({ timeoutMs: 40 });
    const end = await entrance.call("unary", { metadata: direct("hang"), options });
    return yesIf(end.error?.code === DEADLINE_EXCEEDED);
  },

  async defaultTimeout(entrance) {
    const server = await raw(entrance, ({ stream }) => respondOk(stream));
    await entrance.call("unary", {}, { channel: quick({ timeoutMs: 5_000 }), addresses: [server.address] });
    const { headers } = await server.request();
    // 5,000 ms or what is left of them; a century stands for none.
    return yesIf(/^\d{1,4}m$/.test(String(headers["grpc-timeout"])));
  },

  async expired(entrance) {
    const opened = entrance.open();
    await unary(entrance, opened);
    const options = { deadline: new Date(Date.now() - 1) };
    await unary(entrance, opened, { options });
    // A call sent after it arrives after it.
    await unary(entrance, opened);
    return yesIf(entrance.runs.length === 2);
  },

  async parent(entrance) {
    const opened = entrance.open();
    await unary(entrance, opened);
    const limited = await unary(entrance, opened, {
      metadata: direct("hang"),
      options: { parent: parentCall(Date.now() + 40) as never },
    });
    if (limited.error?.code !== DEADLINE_EXCEEDED) return "no";
    const parent = parentCall(Number.POSITIVE_INFINITY);
    const begun = entrance.nextRun();
    const call = startCall(entrance.flavour, opened.stub, "unary", {
      metadata: direct("hang"),
      options: { parent: parent as never },
    });
    await begun;
    parent.emit("cancelled");
    return yesIf((await call.end).error?.code === CANCELLED);
  },

  async attemptTimeout(entrance) {
    const server = await raw(entrance, ({ stream, index }) => index > 1 && respondOk(stream));
    const channel = quick({ attemptTimeoutMs: 50 });
    const options = { deadline: Date.now() + 400 };
    const end = await entrance.call(
      "unary",
      { metadata: harmless(), options },
      { channel, addresses: [server.address] },
    );
    return yesIf(end.status.code === OK);
  },

  async streamTimeouts(entrance) {
    const channel = { ...QUICK, firstResponseTimeoutMs: 40 };
    const options = { deadline: Date.now() + 200 };
    const end = await entrance.call("serverStream", { metadata: direct("hang"), options }, { channel });
    return yesIf(reasonOf(end.error) === "ATTEMPT_TIMEOUT");
  },

  async signal(entrance) {
    const opened = entrance.open();
    const abort = new AbortController();
    const begun = entrance.nextRun();
    const options = callOptions({ signal: abort.signal, timeoutMs: 1_000 });
    const call = startCall(entrance.flavour, opened.stub, "unary", { metadata: direct("hang"), options });
    await begun;
    abort.abort();
    const { error } = await call.end;
    return yesIf(reasonOf(error) === "CANCELLED" && /signal/.test(String(error?.details)));
  },

  async waitForReady(entrance) {
    const proxy = entrance.use(await FaultProxy.start(entrance.servers[0]!.port));
    const { isPooled } = entrance.door;
    const soon = isPooled ? { ...QUICK, reconnectBackoff: { initialMs: 20, jitterRatio: 0 } } : QUICK;
    const waits = async (args: CallArgs): Promise<boolean> => {
      await proxy.refuse();
      const opened = entrance.open({ channel: soon, addresses: [proxy.address] });
      await unary(entrance, opened);
      const waiting = callToEnd(entrance.flavour, opened.stub, "unary", args);
      await proxy.pass();
      return (await waiting).error === null;
    };
    const byOptions = await waits({ options: callOptions({ waitForReady: true }) });
    if (byOptions) return "yes";
    return (await waits({ metadata: new grpc.Metadata({ waitForReady: true }) })) ? "limited" : "no";
  },
} satisfies Record<string, Probe>;
