import {
  type ChannelCollaborators,
  type ChannelEvent,
  type Hardened,
  type HardenOptions,
  harden,
} from "../../src/index.js";
import { echoCalls } from "./echo-calls.js";
import { ECHO_SERVICE_NAME, type EchoStub, echoStub } from "./echo-stub.js";
import type { Client, Place, Stack } from "./stack.js";

/** Everything on, written out even where it is the default. */
const OPTIONS: HardenOptions = {
  insecure: true,
  loadBalancing: "round_robin",
  timeoutMs: 30_000,
  retry: { maxAttempts: 3, throttle: { maxTokens: 100, tokenRatio: 0.1 } },
  breaker: { consecutiveFailures: 5 },
  methods: { [ECHO_SERVICE_NAME]: { idempotent: true } },
};

/** Never dialled: the fake transport stands below them. */
const FAKE_ADDRESSES = ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"];

/** A stub hardened over three endpoints. */
export const holdfast: Stack = {
  name: "holdfast",
  places: ["fake", "sockets"],
  hasStreams: true,
  retries: true,
  isOurs: true,
  open: (place) => openHardened(place, false),
};

/** The same with a listener that hears every event; over sockets the difference drowns. */
export const holdfastEvents: Stack = {
  name: "holdfast-events",
  places: ["fake"],
  hasStreams: false,
  retries: true,
  isOurs: true,
  open: (place) => openHardened(place, true),
};

function openHardened(place: Place, isListening: boolean): Client {
  const { stub, close } = hardenedStub(place);
  if (isListening) stub.getChannel().onEvent(hear);
  return { ...echoCalls(() => stub, place), close };
}

/** The stub itself, for other doors to the same channel. */
export function hardenedStub(place: Place): { stub: Hardened<EchoStub>; close(): void } {
  const addresses = place.kind === "fake" ? FAKE_ADDRESSES : place.addresses;
  const target = `static:///${addresses.join(",")}`;
  const original = echoStub("127.0.0.1:1");
  const stub = harden(original, { ...OPTIONS, target }, collaborators(place));
  return {
    stub,
    close() {
      stub.close();
      original.close();
    },
  };
}

let lastEvent: ChannelEvent | null = null;

/** Keeps the event, or the compiler would notice that nobody reads it. */
function hear(event: ChannelEvent): void {
  lastEvent = lastEvent === event ? null : event;
}

function collaborators(place: Place): ChannelCollaborators {
  if (place.kind === "sockets") return {};
  return { makeChannel: (endpoint) => place.makeChannel(endpoint.address) };
}
