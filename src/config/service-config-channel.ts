import type { ChannelOptions } from "../call/channel-options.js";
import { type ImportedBalancing, policyNamed } from "./service-config-balancing.js";
import type { ServiceConfig } from "./service-config-schema.js";

/** What a service config says of a channel as a whole, without its methods. */
export interface ImportedChannel {
  readonly options: ImportedBalancing["options"] & Pick<ChannelOptions, "health" | "maxConnections">;
  /** What could not be kept to the letter, as sentences. */
  readonly warnings: readonly string[];
}

/** A client's own limit, which gRFC A105 asks for (R76). */
const MAX_CONNECTIONS = 10;

/** Turns what is said of the endpoints and the connections to them into options that mean the same. */
export function importChannel(config: ServiceConfig): ImportedChannel {
  const balancing = config.loadBalancingConfig ?? policyNamed(config.loadBalancingPolicy ?? "");
  const warnings = (balancing?.warnings ?? []).map((warning) => `loadBalancingConfig: ${warning}`);
  const warn = (warning: string) => warnings.push(warning);
  return {
    options: {
      ...balancing?.options,
      ...healthOf(config, balancing?.policies.at(-1), warn),
      ...connectionsOf(config, warn),
    },
    warnings,
  };
}

/** R80: an empty name is one, too. R87: pick_first asks nobody, and a channel would refuse to be told both. */
function healthOf(
  { healthCheckConfig }: ServiceConfig,
  policy: string | undefined,
  warn: (warning: string) => void,
): Pick<ChannelOptions, "health"> {
  const serviceName = healthCheckConfig?.serviceName ?? null;
  if (serviceName === null) return {};
  if (policy !== "pick_first") return { health: { serviceName } };
  warn("healthCheckConfig has no effect under pick_first (gRFC A17)");
  return {};
}

/** R76. Protobuf says 0 where nothing is said, which is one. */
function connectionsOf(
  { connectionScaling }: ServiceConfig,
  warn: (warning: string) => void,
): Pick<ChannelOptions, "maxConnections"> {
  const asked = connectionScaling?.maxConnectionsPerSubchannel ?? null;
  if (asked === null) return {};
  if (asked > MAX_CONNECTIONS) {
    warn(
      `connectionScaling.maxConnectionsPerSubchannel is ${asked} and counts as ${MAX_CONNECTIONS}, the limit`,
    );
  }
  return { maxConnections: Math.min(Math.max(asked, 1), MAX_CONNECTIONS) };
}
