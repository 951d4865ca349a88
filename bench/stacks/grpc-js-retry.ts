import { echoCalls } from "./echo-calls.js";
import { ECHO_SERVICE_NAME, echoStub } from "./echo-stub.js";
import type { Client, Place, Stack } from "./stack.js";

const SERVICE_CONFIG = {
  loadBalancingConfig: [{ round_robin: {} }],
  methodConfig: [
    {
      name: [{ service: ECHO_SERVICE_NAME }],
      timeout: "30s",
      retryPolicy: {
        maxAttempts: 3,
        initialBackoff: "0.1s",
        maxBackoff: "1s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
  retryThrottling: { maxTokens: 100, tokenRatio: 0.1 },
};

/** What grpc-js can do by itself: balance, retry and a deadline, all from a service config. */
export const grpcJsRetry: Stack = {
  name: "grpc-js-retry",
  places: ["sockets"],
  hasStreams: true,
  retries: true,
  open(place: Place): Client {
    const addresses = place.kind === "sockets" ? place.addresses : [];
    const stub = echoStub(`ipv4:${addresses.join(",")}`, {
      "grpc.service_config": JSON.stringify(SERVICE_CONFIG),
      "grpc.use_local_subchannel_pool": 1,
    });
    return { ...echoCalls(() => stub, place), close: () => stub.close() };
  },
};
