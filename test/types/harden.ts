// Nothing here runs: `npm run typecheck` reads it. Each @ts-expect-error fails the build when the line below is accepted.

import * as grpc from "@grpc/grpc-js";
import {
  type ChannelStats,
  type ChannelView,
  callOptions,
  createChannel,
  type Hardened,
  harden,
  type ResilientChannel,
  stubFor,
} from "holdfast";
import { type Answer, type Ask, ContractClient } from "../fixtures/stubs/generated/ts-proto/contract.js";
import { ContractClient as HandWrittenClient } from "../fixtures/stubs/hand-written.js";
import { same, use } from "./expect.js";

type AnswerCallback = (error: grpc.ServiceError | null, response: Answer) => void;

/** A hardened stub goes wherever the stub went, with all its methods as they were. */
export function keepsTheStubsType(stub: ContractClient, ask: Ask, callback: AnswerCallback): ContractClient {
  const hardened = harden(stub, { target: "static:///a:1,b:2", insecure: true });
  same<(typeof hardened)["unary"], ContractClient["unary"]>();
  same<(typeof hardened)["serverStream"], ContractClient["serverStream"]>();
  same<(typeof hardened)["clientStream"], ContractClient["clientStream"]>();
  same<(typeof hardened)["bidi"], ContractClient["bidi"]>();
  same<typeof hardened, Hardened<ContractClient>>();

  const call: grpc.ClientUnaryCall = hardened.unary(ask, callback);
  const writable: grpc.ClientWritableStream<Ask> = hardened.clientStream(callback);
  const readable: grpc.ClientReadableStream<Answer> = hardened.serverStream(ask);
  const duplex: grpc.ClientDuplexStream<Ask, Answer> = hardened.bidi();
  use(call, writable, readable, duplex);
  return hardened;
}

/** Callbacks know their answer and error without a type of their own. */
export function typesCallbacks(stub: ContractClient, ask: Ask): void {
  const hardened = harden(stub);
  hardened.unary(ask, new grpc.Metadata(), callOptions({ timeoutMs: 500 }), (error, answer) => {
    same<typeof error, grpc.ServiceError | null>();
    same<typeof answer, Answer>();
  });
  hardened.unary(ask, (_error, answer) => {
    // @ts-expect-error: an Answer has no such field
    use(answer.txet);
  });
  // @ts-expect-error: text is a string
  hardened.unary({ text: 5, repeat: 0 }, () => {});
  // @ts-expect-error: the stub has no such method
  hardened.unry(ask, () => {});
}

/** `getChannel()` is ours: statistics, endpoints and events are typed. */
export function typesTheChannel(stub: ContractClient): void {
  const channel = harden(stub).getChannel();
  same<typeof channel, ChannelView>();

  const stats = channel.stats();
  same<typeof stats, ChannelStats>();
  const mode: "pool" | "stub-channel" | "disabled" = stats.mode;
  const retries: number = stats.calls.retries;
  const breaker: "closed" | "open" | "half-open" | undefined = channel.endpoints()[0]?.breaker;
  use(mode, retries, breaker);
  // @ts-expect-error: no such counter
  use(stats.calls.retry);
  // @ts-expect-error: numbers are read-only
  stats.calls.retries = 0;

  channel.onEvent((event) => {
    if (event.type === "call.retry") {
      const delayMs: number = event.delayMs;
      use(delayMs);
    }
    // @ts-expect-error: not every event has a delay
    use(event.delayMs);
    // @ts-expect-error: there is no such event
    if (event.type === "call.retried") use(event);
  });
}

/** Both other doors give and take the same types. */
export function typesTheOtherDoors(channel: ResilientChannel, credentials: grpc.ChannelCredentials): void {
  const generated = stubFor(ContractClient, channel);
  same<typeof generated, Hardened<ContractClient>>();
  const byHand = stubFor(HandWrittenClient, channel, { interceptors: [] });
  same<typeof byHand, Hardened<HandWrittenClient>>();
  use(new ContractClient("", credentials, { channelOverride: channel }));

  // @ts-expect-error: a Map is no grpc-js client class
  stubFor(Map, channel);
  // @ts-expect-error: the channel of a plain stub is none of ours
  stubFor(ContractClient, new ContractClient("", credentials).getChannel());
  // @ts-expect-error: no such option
  stubFor(ContractClient, channel, { interceptor: [] });
}

/** Options with typos and wrong values do not compile. */
export function refusesWrongOptions(stub: ContractClient, credentials: grpc.ChannelCredentials): void {
  harden(stub, { credentials, timeoutMs: null, retry: { maxAttempts: 2, throttle: false }, breaker: false });
  createChannel("dns:///a:1", { insecure: true, methods: { "a.B/C": { idempotent: true, retry: false } } });

  // @ts-expect-error: timeoutMs, not timeoutMS
  harden(stub, { timeoutMS: 5 });
  // @ts-expect-error: maxAttempts, not maxAtempts
  harden(stub, { retry: { maxAtempts: 5 } });
  // @ts-expect-error: milliseconds are numbers
  harden(stub, { timeoutMs: "5s" });
  // @ts-expect-error: a name, or an object with one
  harden(stub, { loadBalancing: { choiceCount: 2 } });
  // @ts-expect-error: a Date is no grpc-js client
  harden(new Date());
  // @ts-expect-error: a channel needs options, or its credentials would be missing
  createChannel("dns:///a:1");
  // @ts-expect-error: no such method option
  createChannel("dns:///a:1", { insecure: true, methods: { "a.B": { idempotant: true } } });
  createChannel(["dns:///a:1", "static:///b:2"], { insecure: true });
  // @ts-expect-error: a target is a string, or a list of them
  createChannel([1], { insecure: true });
}
