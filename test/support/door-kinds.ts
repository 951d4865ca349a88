import http2 from "node:http2";
import { callOptions } from "holdfast";
import { type CallEnd, callToEnd, KINDS, type Kind, startCall } from "./contract-calls.js";
import { type DoorOptions, type Entrance, QUICK } from "./contract-doors.js";
import { direct } from "./directed-server.js";
import { harmless, quick, raw, reasonOf, unavailable } from "./door-probes/probe.js";
import { survivesLostStatus } from "./door-probes/repeats.js";
import { turns } from "./event-loop.js";
import { respondOk, rst } from "./raw-http2-server.js";

/** What one kind of RPC gets from a channel, and what finds it out. */
export interface KindRow {
  readonly what: string;
  readonly kinds: readonly Kind[];
  isGiven(entrance: Entrance, kind: Kind): Promise<boolean>;
}

/** Kinds with a single response. */
const SINGLE: readonly Kind[] = ["unary", "clientStream"];
const STREAMED: readonly Kind[] = ["serverStream", "bidi"];

/** Calls that hang are ended by their own deadline. */
const PATIENCE_MS = 250;

export const kindRows: readonly KindRow[] = [
  {
    what: "retry of an idempotent call, before an answer has begun",
    kinds: KINDS,
    async isGiven(entrance, kind) {
      const metadata = direct("fail-first", { idempotentRequest: true });
      return (await entrance.call(kind, { metadata })).error === null;
    },
  },
  {
    what: "repeat of any call that provably did not run, on another endpoint",
    kinds: KINDS,
    async isGiven(entrance, kind) {
      const refusing = await raw(entrance, ({ stream }) =>
        rst(stream, http2.constants.NGHTTP2_REFUSED_STREAM),
      );
      const { stub } = entrance.open({ addresses: [refusing.address, entrance.servers[0]!.address] });
      const ends: CallEnd[] = [];
      while (refusing.streamsStarted === 0) ends.push(await callToEnd(entrance.flavour, stub, kind));
      return ends.every(({ error }) => error === null);
    },
  },
  {
    what: "retry of an idempotent call whose connection was lost between answer and status",
    kinds: SINGLE,
    isGiven: survivesLostStatus,
  },
  {
    what: "hedging of an idempotent call",
    kinds: KINDS,
    async isGiven(entrance, kind) {
      const hedging = { maxAttempts: 2, delayMs: 0 };
      const { stub } = entrance.open({ channel: { ...QUICK, attemptTimeoutMs: null, hedging } });
      const options = callOptions({ timeoutMs: 5_000, idempotent: true });
      const call = startCall(entrance.flavour, stub, kind, { metadata: direct("hang"), options });
      let isEnded = false;
      void call.end.then(() => {
        isEnded = true;
      });
      while (entrance.runs.length < 2 && !isEnded) await turns(1);
      call.raw.cancel();
      await call.end;
      return entrance.runs.length === 2;
    },
  },
  {
    what: "`timeoutMs` of the channel (30 s by default) as the call's deadline",
    kinds: SINGLE,
    async isGiven(entrance, kind) {
      const server = await raw(entrance, ({ stream }) => respondOk(stream));
      await entrance.call(kind, {}, { channel: quick({ timeoutMs: 5_000 }), addresses: [server.address] });
      // 5,000 ms or what is left of them; a century stands for none.
      return /^\d{1,4}m$/.test(String((await server.request()).headers["grpc-timeout"]));
    },
  },
  {
    what: "a limit for each attempt by default, if idempotent",
    kinds: ["unary"],
    isGiven: (entrance, kind) => isRescued(entrance, kind, {}),
  },
  {
    what: "`attemptTimeoutMs`, where it is set",
    kinds: SINGLE,
    isGiven: (entrance, kind) => isRescued(entrance, kind, { attemptTimeoutMs: 50 }),
  },
  {
    what: "`firstResponseTimeoutMs`, where it is set",
    kinds: STREAMED,
    async isGiven(entrance, kind) {
      const options = { deadline: Date.now() + PATIENCE_MS };
      const args = { metadata: direct("hang"), options, isLeftOpen: true };
      const channel = { ...QUICK, firstResponseTimeoutMs: 50 };
      return reasonOf((await entrance.call(kind, args, { channel })).error) === "ATTEMPT_TIMEOUT";
    },
  },
  {
    what: "circuit breaker: its failures count, and it is kept from endpoints that are out",
    kinds: KINDS,
    async isGiven(entrance, kind) {
      const server = await unavailable(entrance);
      const channel = { ...QUICK, breaker: { consecutiveFailures: 2 } };
      const { stub } = entrance.open({ channel, addresses: [server.address] });
      for (let call = 0; call < 2; call++) await callToEnd(entrance.flavour, stub, kind);
      const { error } = await callToEnd(entrance.flavour, stub, kind);
      return reasonOf(error) === "CIRCUIT_OPEN" && server.streamsStarted === 2;
    },
  },
];

/** The first attempt hangs: true when a second one was made in time. */
async function isRescued(
  entrance: Entrance,
  kind: Kind,
  channel: NonNullable<DoorOptions["channel"]>,
): Promise<boolean> {
  const server = await raw(entrance, ({ stream, index }) => index > 1 && respondOk(stream));
  const options = { deadline: Date.now() + PATIENCE_MS };
  await entrance.call(
    kind,
    { metadata: harmless(), options },
    { channel: { ...QUICK, ...channel }, addresses: [server.address] },
  );
  return server.streamsStarted > 1;
}

const KIND_NAMES: Readonly<Record<Kind, string>> = {
  unary: "unary",
  serverStream: "server-streaming",
  clientStream: "client-streaming",
  bidi: "bidirectional",
};

/** The table as it stands in docs/doors.md. */
export function renderKinds(): string {
  return [
    `| | ${KINDS.map((kind) => KIND_NAMES[kind]).join(" | ")} |`,
    "|---|---|---|---|---|",
    ...kindRows.map(
      ({ what, kinds }) =>
        `| ${what} | ${KINDS.map((kind) => (kinds.includes(kind) ? "yes" : "no")).join(" | ")} |`,
    ),
  ].join("\n");
}
