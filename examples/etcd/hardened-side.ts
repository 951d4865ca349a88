import { credentials } from "@grpc/grpc-js";
import { type EndpointStats, harden } from "holdfast";
import type { ClusterNode } from "./cluster.js";
import { KVClient } from "./kv-stub.js";
import { CALL_TIMEOUT_MS, type Side } from "./sides.js";

/** The same stub hardened. What a user writes is the call of `harden`; the rest serves this example's display. */
export function hardenedSide(addresses: readonly string[]): Side {
  const kv = harden(new KVClient(addresses[0]!, credentials.createInsecure()), {
    target: `static:///${addresses.join(",")}`,
    insecure: true,
    timeoutMs: CALL_TIMEOUT_MS,
    methods: {
      // Reading twice does no harm, so a Range may be tried again after any failure of a server or a connection. One
      // attempt gets a second: a follower whose leader has died keeps a call waiting for up to 7 s. All attempts
      // together outlast an election, which takes etcd 1 to 3 s.
      "etcdserverpb.KV/Range": { idempotent: true, attemptTimeoutMs: 1_000 },
      // Put is not declared idempotent, although writing the same value twice looks harmless: each Put that etcd applies
      // raises the key's version and the store's revision, and may undo what somebody else has written in between. So a
      // Put is repeated only when it provably never reached a server; otherwise its error says `processed: "maybe"`.
    },
    retry: { maxAttempts: 5 },
  });
  return {
    name: "holdfast",
    kv,
    callOptions: () => ({}),
    describe: (nodes) => describeEndpoints(nodes, kv.getChannel().endpoints()),
    close: () => kv.getChannel().close({ drainMs: 0 }),
  };
}

function describeEndpoints(nodes: readonly ClusterNode[], endpoints: readonly EndpointStats[]): string {
  const nameOf = (address: string) => nodes.find((node) => node.address === address)?.name ?? address;
  return endpoints.map((endpoint) => `${nameOf(endpoint.address)} ${describeEndpoint(endpoint)}`).join(", ");
}

function describeEndpoint({ state, isSuspect, breaker }: EndpointStats): string {
  return [state, isSuspect ? "suspect" : "", breaker === "closed" ? "" : `breaker ${breaker}`]
    .filter(Boolean)
    .join(" ");
}
