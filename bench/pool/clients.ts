import { type Hardened, type HardenOptions, harden } from "../../src/index.js";
import { ECHO_SERVICE_NAME, type EchoStub, echoStub } from "../stacks/echo-stub.js";

/** A client of the echo service over several servers. */
export interface PoolClient {
  readonly name: string;
  readonly stub: EchoStub;
  close(): void;
}

/** One of ours, whose channel tells what it does. */
export interface OurClient extends PoolClient {
  readonly stub: Hardened<EchoStub>;
}

/** grpc-js with `round_robin`, a socket of its own to each server, and nothing else. */
export function bareClient(addresses: readonly string[]): PoolClient {
  const stub = echoStub(`ipv4:${addresses.join(",")}`, {
    "grpc.service_config": JSON.stringify({ loadBalancingConfig: [{ round_robin: {} }] }),
    "grpc.service_config_disable_resolution": 1,
    "grpc.use_local_subchannel_pool": 1,
  });
  return { name: "bare", stub, close: () => stub.close() };
}

/** The same stub hardened, with what differs from the defaults. Its calls may be repeated. */
export function ourClient(
  name: string,
  addresses: readonly string[],
  options: Partial<HardenOptions> = {},
): OurClient {
  const original = echoStub("127.0.0.1:1");
  const stub = harden(original, {
    insecure: true,
    methods: { [ECHO_SERVICE_NAME]: { idempotent: true } },
    ...options,
    target: `static:///${addresses.join(",")}`,
  });
  return {
    name,
    stub,
    close() {
      stub.close();
      original.close();
    },
  };
}
