import type { Channel } from "@grpc/grpc-js";
import { createChannel, createClientFactory } from "nice-grpc";
import { deadlineMiddleware } from "nice-grpc-client-middleware-deadline";
import { retryMiddleware } from "nice-grpc-client-middleware-retry";
import { echoService } from "./echo-stub.js";
import { inTurn } from "./in-turn.js";
import { promiseCalls } from "./promise-calls.js";
import type { Client, Place, Stack } from "./stack.js";

/** Outermost last: the deadline bounds all attempts. */
const factory = createClientFactory().use(retryMiddleware).use(deadlineMiddleware);

/** It counts retries, so this is three attempts as with the others. */
const CALL_OPTIONS = { "*": { retry: true, retryMaxAttempts: 2, deadline: 30_000 } };

/** nice-grpc with its retry and deadline middleware; it has no balancing of its own, so three clients in turn. */
export const niceGrpc: Stack = {
  name: "nice-grpc-retry",
  places: ["fake", "sockets"],
  hasStreams: true,
  retries: true,
  open(place: Place): Client {
    const channels = channelsAt(place);
    const next = inTurn(channels.map((channel) => factory.create(echoService, channel, CALL_OPTIONS)));
    return {
      ...promiseCalls(
        {
          unary: (request) => next().unary(request),
          serverStreaming: (request) => next().serverStreaming(request),
          clientStreaming: (requests) => next().clientStreaming(requests),
          bidi: (requests) => next().bidi(requests),
        },
        place,
      ),
      close() {
        for (const channel of channels) channel.close();
      },
    };
  },
};

function channelsAt(place: Place): Channel[] {
  // Only what `Channel` and its interface share is used of it.
  if (place.kind === "fake") return [place.makeChannel("fake:nice-grpc") as Channel];
  return place.addresses.map((address) =>
    createChannel(address, undefined, { "grpc.use_local_subchannel_pool": 1 }),
  );
}
