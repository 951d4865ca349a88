import { z } from "zod";
import type { Endpoint } from "../../core/index.js";
import { Xxh64 } from "./hash.js";

const subsetSize = () => z.int().min(1).max(1_000_000);

const randomShape = {
  /** Every client draws its own subset, which changes as little as the endpoints do (gRFC A68). */
  policy: z.literal("random_subsetting"),
  /** Endpoints used. 1 to 1,000,000; where there are no more than that, all. */
  subsetSize: subsetSize(),
};
/** By name, so that declarations keep the comments of its keys. */
export interface RandomSubsettingSchema extends z.ZodObject<typeof randomShape, z.core.$strict> {}
const randomSchema: RandomSubsettingSchema = z.strictObject(randomShape);

const deterministicShape = {
  /** Clients that are numbered share the endpoints out evenly; ours, not gRPC's. */
  policy: z.literal("deterministic_subsetting"),
  /** Endpoints used. 1 to 1,000,000, the same for every client; where there are no more than that, all. */
  subsetSize: subsetSize(),
  /** Number of this client: 0 or more, without gaps over all clients, such as a StatefulSet's ordinal. */
  clientIndex: z.int().min(0).max(1_000_000_000),
};
/** By name, so that declarations keep the comments of its keys. */
export interface DeterministicSubsettingSchema
  extends z.ZodObject<typeof deterministicShape, z.core.$strict> {}
const deterministicSchema: DeterministicSubsettingSchema = z.strictObject(deterministicShape);

/** Each client uses some of the endpoints only, so that thousands of clients need not all connect to thousands of servers. */
export const subsettingOptionsSchema = z.discriminatedUnion("policy", [randomSchema, deterministicSchema]);

export type ResolvedSubsettingOptions = z.output<typeof subsettingOptionsSchema>;

/**
 * The subset of gRFC A68: an endpoint that comes or goes changes one member at most. The order stays.
 *
 * @param seed drawn once per client, a whole number from 0 to 2^53 - 1
 */
export function randomSubset(
  endpoints: readonly Endpoint[],
  size: number,
  seed: number,
): readonly Endpoint[] {
  return endpoints.length <= size ? endpoints : ranked(endpoints, seed, 0, size);
}

/**
 * The subset of Google's book on site reliability ("deterministic subsetting"): `floor(endpoints / size)` clients with
 * consecutive numbers are a round, which shuffles the endpoints and deals them out, so that it uses each once. Where
 * that leaves `endpoints % size` over, each round leaves out the next ones, so that after any number of whole rounds
 * the endpoints differ by one client at most. The order stays.
 *
 * @param clientIndex 0 or more
 */
export function deterministicSubset(
  endpoints: readonly Endpoint[],
  size: number,
  clientIndex: number,
): readonly Endpoint[] {
  const { length } = endpoints;
  if (length <= size) return endpoints;
  const perRound = Math.floor(length / size);
  const round = Math.floor(clientIndex / perRound);
  const leftOver = length % size;
  // A round's seed is one more than its number: 0 is the order that the ones left out are taken from.
  const dealt = ranked(endpoints, 0, (round + 1) * leftOver, length - leftOver);
  return ranked(dealt, round + 1, (clientIndex % perRound) * size, size);
}

/**
 * The endpoints from one rank to another by the hash of their address, wrapping around, in the order given. Two hashes
 * equal in their upper 53 bits share a rank, which does no harm.
 */
function ranked(endpoints: readonly Endpoint[], seed: number, from: number, count: number): Endpoint[] {
  const { length } = endpoints;
  if (count === length) return [...endpoints];
  const hash = new Xxh64(seed);
  const hashes = Float64Array.from(endpoints, ({ address }) => {
    hash.update(address);
    return hash.high * 2 ** 21 + (hash.low >>> 11);
  });
  const sorted = hashes.toSorted();
  const first = sorted[from % length] as number;
  const last = sorted[(from + count - 1) % length] as number;
  const isInside =
    first <= last
      ? (value: number) => value >= first && value <= last
      : (value: number) => value >= first || value <= last;
  return endpoints.filter((_, index) => isInside(hashes[index] as number));
}
