import { harden, promises } from "../../src/index.js";
import { HELD_SERVICE_NAME, heldStub } from "./held-stub.js";

/** A client whose calls will be held; it ends with its process. */
export interface HeldClient {
  put(fill: number, done: (error: Error | null) => void): unknown;
  /** Bytes it keeps for retries on purpose, within its budget; null for grpc-js, which does not say. */
  retryBufferBytes(): number | null;
}

const LOCAL_POOL = { "grpc.use_local_subchannel_pool": 1 };
const SERVICE_CONFIG = {
  methodConfig: [
    {
      name: [{ service: HELD_SERVICE_NAME }],
      retryPolicy: {
        maxAttempts: 3,
        initialBackoff: "0.1s",
        maxBackoff: "1s",
        backoffMultiplier: 2,
        retryableStatusCodes: ["UNAVAILABLE"],
      },
    },
  ],
};

/** The rows of the table: each makes a client of the address. */
export const HELD_CLIENTS = {
  bare: (address: string) => plain(address, {}),
  "grpc-js-retry": (address: string) =>
    plain(address, { "grpc.service_config": JSON.stringify(SERVICE_CONFIG) }),
  "bare, its retries off": (address: string) =>
    plain(address, { "grpc.enable_retries": 0, "grpc.per_rpc_retry_buffer_size": 0 }),
  holdfast: (address: string) => hardened(address, true),
  promises: promised,
  "holdfast, not retried": (address: string) => hardened(address, false),
} as const satisfies Record<string, (address: string) => HeldClient>;

export type HeldClientName = keyof typeof HELD_CLIENTS;

function plain(address: string, options: Readonly<Record<string, string | number>>): HeldClient {
  const stub = heldStub(address, { ...LOCAL_POOL, ...options });
  return {
    put: (fill, done) => stub.put(fill, done),
    retryBufferBytes: () => null,
  };
}

/** Everything on; a call that is not to be retried has no reason to be kept. */
function hardened(address: string, isRetried: boolean): HeldClient {
  const { stub, ...rest } = hardenedStub(address, isRetried);
  return { put: (fill, done) => stub.put(fill, done), ...rest };
}

function promised(address: string): HeldClient {
  const { stub, ...rest } = hardenedStub(address, true);
  const { put } = promises(stub);
  return { put: (fill, done) => void put(fill).then(() => done(null), done), ...rest };
}

function hardenedStub(address: string, isRetried: boolean) {
  const stub = harden(heldStub(address), {
    insecure: true,
    target: `static:///${address}`,
    retry: isRetried ? { maxAttempts: 3 } : false,
    methods: { [HELD_SERVICE_NAME]: { idempotent: isRetried } },
  });
  return {
    stub,
    retryBufferBytes: () => stub.getChannel().stats().retryBufferBytes,
  };
}
