import type { Endpoint } from "../../src/core/index.js";
import { leastLatency } from "../../src/pool/pickers/least-latency.js";
import { leastRequest, leastRequestOptionsSchema } from "../../src/pool/pickers/least-request.js";
import type { PickerPolicy } from "../../src/pool/pickers/picker.js";
import { random } from "../../src/pool/pickers/random.js";
import { ringHash } from "../../src/pool/pickers/ring-hash.js";
import { ringHashOptionsSchema } from "../../src/pool/pickers/ring-hash-options.js";
import { roundRobin } from "../../src/pool/pickers/round-robin.js";
import { weightedRoundRobin } from "../../src/pool/pickers/weighted-round-robin.js";
import { weightedRoundRobinOptionsSchema } from "../../src/pool/pickers/weighted-round-robin-options.js";

/** gRPC's own least; and what 10,000 endpoints need, as each has at least one entry. */
const RING = { minRingSize: 1_024, maxRingSize: 65_536, ringSizeCap: 65_536 };

/** What a pick of a policy may cost more where there are more endpoints. */
export type Growth = "constant" | "logarithmic";

export interface MeasuredPolicy {
  readonly policy: PickerPolicy;
  readonly growth: Growth;
  /** True to pick in another order than that in which the endpoints lie in memory, which is what a long life comes to. */
  readonly isShuffled?: true;
  /** How much a pick has to look through, in which it is to be constant or logarithmic. */
  searched(endpoints: number): number;
}

const byEndpoints = (endpoints: number): number => endpoints;

/** The policies whose picks are measured, by their names. */
export const POLICIES: Readonly<Record<string, MeasuredPolicy>> = {
  round_robin: { policy: roundRobin, growth: "constant", searched: byEndpoints },
  "round_robin shuffled": {
    policy: roundRobin,
    growth: "constant",
    isShuffled: true,
    searched: byEndpoints,
  },
  random: { policy: random, growth: "constant", searched: byEndpoints },
  least_request: {
    policy: leastRequest(leastRequestOptionsSchema.parse({})),
    growth: "constant",
    searched: byEndpoints,
  },
  least_latency: { policy: leastLatency, growth: "constant", searched: byEndpoints },
  weighted_round_robin: {
    policy: weightedRoundRobin(weightedRoundRobinOptionsSchema.parse({})),
    growth: "logarithmic",
    searched: byEndpoints,
  },
  ring_hash: {
    policy: ringHash(ringHashOptionsSchema.parse(RING)),
    growth: "logarithmic",
    searched: (endpoints) => Math.min(RING.maxRingSize, Math.max(RING.minRingSize, endpoints)),
  },
};

const MAX_WEIGHT = 5;

/** So many endpoints with addresses of their own and weights of 1 to 5. */
export function endpointsOf(count: number, from = 0): Endpoint[] {
  return Array.from({ length: count }, (_, at) => {
    const index = from + at;
    const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}:1`;
    return { address, weight: 1 + (index % MAX_WEIGHT) };
  });
}
