import { type CallOptions, connectivityState, credentials } from "@grpc/grpc-js";
import type { ClusterNode } from "./cluster.js";
import { KVClient } from "./kv-stub.js";
import type { SideName } from "./tally.js";

/** How long the caller of either side is willing to wait for one call. */
export const CALL_TIMEOUT_MS = 6_000;

/** One way of calling the cluster. */
export interface Side {
  readonly name: SideName;
  readonly kv: KVClient;
  callOptions(): CallOptions;
  /** The states of its endpoints, as far as it knows them. */
  describe(nodes: readonly ClusterNode[]): string;
  close(): Promise<void>;
}

/** What a careful user gets from grpc-js alone: three addresses, round_robin, a deadline on every call. */
export function bareSide(addresses: readonly string[]): Side {
  const serviceConfig = { loadBalancingConfig: [{ round_robin: {} }] };
  const kv = new KVClient(`ipv4:${addresses.join(",")}`, credentials.createInsecure(), {
    "grpc.service_config": JSON.stringify(serviceConfig),
  });
  return {
    name: "bare",
    kv,
    callOptions: () => ({ deadline: Date.now() + CALL_TIMEOUT_MS }),
    describe: () =>
      `channel ${connectivityState[kv.getChannel().getConnectivityState(false)]}, endpoints not shown`,
    close: async () => kv.close(),
  };
}
