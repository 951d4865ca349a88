import { connectivityState, status } from "@grpc/grpc-js";
import { ResilienceError } from "holdfast";
import { callToEnd, startCall } from "../contract-calls.js";
import { QUICK } from "../contract-doors.js";
import { direct } from "../directed-server.js";
import { turns } from "../event-loop.js";
import { acceptOnly } from "../silent-server.js";
import { harmless, type Probe, quick, raw, reasonOf, unary, unavailable, yesIf } from "./probe.js";

export const connectionProbes = {
  async breaker(entrance) {
    const server = await unavailable(entrance);
    const channel = { ...QUICK, breaker: { consecutiveFailures: 3 } };
    const opened = entrance.open({ channel, addresses: [server.address] });
    for (let call = 0; call < 3; call++) await unary(entrance, opened);
    const { error } = await unary(entrance, opened);
    return yesIf(reasonOf(error) === "CIRCUIT_OPEN" && server.streamsStarted === 3);
  },

  async breakerPerEndpoint(entrance) {
    const server = await unavailable(entrance);
    const channel = { ...QUICK, breaker: { consecutiveFailures: 3 } };
    const addresses = [server.address, entrance.servers[0]!.address];
    const opened = entrance.open({ channel, addresses });
    for (let call = 0; call < 20; call++) await unary(entrance, opened);
    const ends = [];
    for (let call = 0; call < 10; call++) ends.push(await unary(entrance, opened));
    return yesIf(server.streamsStarted === 3 && ends.every(({ error }) => error === null));
  },

  async dialTimeout(entrance) {
    const silent = entrance.use(await acceptOnly());
    const channel = entrance.door.isPooled ? { ...QUICK, connectTimeoutMs: 50 } : QUICK;
    const opened = entrance.open({ channel, addresses: [silent.address] });
    const { error } = await unary(entrance, opened, { options: { deadline: Date.now() + 250 } });
    // What is still dialling ends with the server.
    await silent.close();
    return yesIf(error?.code === status.UNAVAILABLE);
  },

  async suspicion(entrance) {
    const asked: string[] = [];
    const silent = await raw(entrance, ({ headers }) => void asked.push(String(headers[":path"])));
    const channel = quick({ attemptTimeoutMs: 60, retry: { maxAttempts: 1 } });
    const opened = entrance.open({ channel, addresses: [silent.address] });
    const call = () =>
      unary(entrance, opened, { metadata: harmless(), options: { deadline: Date.now() + 150 } });
    // Bytes still come from a new connection while the first call waits, and none while the second does; what is sent
    // because of that arrives before the third ends.
    for (let count = 0; count < 3; count++) await call();
    return yesIf(asked.some((path) => path.startsWith("/grpc.health.v1.Health/")));
  },

  async closedWhileDialling(entrance) {
    const silent = entrance.use(await acceptOnly());
    const opened = entrance.open({ addresses: [silent.address] });
    const call = startCall(entrance.flavour, opened.stub, "unary");
    await silent.accepted();
    if (entrance.door.isPooled) await opened.channel.close({ drainMs: 0 });
    else opened.stub.close();
    call.raw.cancel();
    await call.end;
    await turns(20);
    const isGone = silent.openCount === 0;
    await silent.close();
    return yesIf(isGone);
  },

  async closing(entrance) {
    const opened = entrance.open();
    await unary(entrance, opened);
    const waiting = callToEnd(entrance.flavour, opened.stub, "unary");
    opened.stub.close();
    return yesIf((await waiting).error === null);
  },

  async sharedChannel(entrance) {
    const opened = entrance.open();
    await unary(entrance, opened);
    opened.stub.close();
    try {
      return yesIf(opened.channel.stats().state !== "SHUTDOWN");
    } catch {
      return yesIf(opened.stub.getChannel().getConnectivityState(false) !== connectivityState.SHUTDOWN);
    }
  },

  async stats(entrance) {
    const opened = entrance.open();
    const seen: string[] = [];
    try {
      opened.channel.onEvent(({ type }) => seen.push(type));
      await unary(entrance, opened, { metadata: direct("fail-first", { idempotentRequest: true }) });
      return yesIf(opened.channel.stats().calls.started === 1 && seen.includes("call.retry"));
    } catch {
      return "no";
    }
  },

  async mistypedMethod(entrance) {
    const methods = { "holdfast.contract.Contract/Unry": { idempotent: true } };
    try {
      entrance.open({ channel: { ...QUICK, methods } });
      return "no";
    } catch (error) {
      if (!(error instanceof ResilienceError)) throw error;
      return yesIf(/did you mean Unary/.test(error.details));
    }
  },
} satisfies Record<string, Probe>;
