import { z } from "zod";
import { exceeds, isObject } from "../../core/index.js";
import type { RingSize } from "./ring-size.js";

const MAX_RING_SIZE = 8_388_608;
const MIN_RING_SIZE_DEFAULT = 1_024;
const MAX_RING_SIZE_DEFAULT = 4_096;
const RING_SIZE_CAP_DEFAULT = 4_096;
const HEADER_NAME = /^[0-9a-z_.-]+$/;

const ringSize = () => z.int().min(1).max(MAX_RING_SIZE);
const perEndpoint = () => z.int().min(1).max(1_000);

const keyShape = {
  /**
   * Request header whose value is the key of a call without `hashKey`, such as `x-user-id`; several values are joined
   * by commas (gRFC A76). Lower-case, not ending in `-bin`. Default null. A call with no key, from neither place, goes to an
   * endpoint by chance, and rather to a connected one.
   */
  requestHashHeader: z
    .string()
    .max(128)
    .refine((name) => HEADER_NAME.test(name) && !name.endsWith("-bin"), {
      message: "allowed: lower-case letters, digits, and the signs - _ . in a name that does not end in -bin",
    })
    .nullable()
    .default(null),
  /**
   * Bounded load: no endpoint gets more than this many times its share of the calls in flight; what is too much goes
   * on along the ring. More than 1; 1.25 is usual. Default null, no bound.
   */
  boundedLoadFactor: z.number().gt(1).max(1_000).nullable().default(null),
};

/** Rules across the options, where those that concern it are each fine by themselves. */
const sizesInOrder = z.superRefine<object>(
  (options, context) => {
    const { minRingSize, maxRingSize, entriesPerEndpoint } = options as Record<string, unknown>;
    const problem = (path: string, message: string) =>
      context.addIssue({ code: "custom", path: [path], message });
    if ((entriesPerEndpoint ?? null) !== null) {
      if ((minRingSize ?? maxRingSize) !== undefined)
        problem("entriesPerEndpoint", "stands beside minRingSize or maxRingSize; give one or the other");
      return;
    }
    const [min, max] = [minRingSize ?? MIN_RING_SIZE_DEFAULT, maxRingSize ?? MAX_RING_SIZE_DEFAULT];
    if (!exceeds(min, max)) return;
    if (minRingSize === undefined) problem("maxRingSize", `allowed: minRingSize (${String(min)}) or more`);
    else problem("minRingSize", `allowed: maxRingSize (${String(max)}) or less`);
  },
  { when: isObject },
);

export const ringHashOptionsSchema = z
  .strictObject({
    /** Entries on the ring at least. Default 1,024, range 1 to 8,388,608; more spread keys more evenly (gRFC A42). */
    minRingSize: ringSize().optional(),
    /**
     * Entries on the ring at most. Default 4,096, range `minRingSize` to 8,388,608. Endpoints beyond this number get no
     * entry, and so no calls: with thousands of them, raise this and `ringSizeCap` to several times their number.
     */
    maxRingSize: ringSize().optional(),
    /**
     * What this client makes of larger ring sizes, whoever asked for them: no more than this many entries. Default
     * 4,096, range 1 to 8,388,608. Building takes about a microsecond per entry, and 12 bytes stay.
     */
    ringSizeCap: ringSize().default(RING_SIZE_CAP_DEFAULT),
    /**
     * Entries for each unit of an endpoint's weight, in place of the ring sizes, which then mean nothing: an endpoint
     * that comes takes its share of the keys, and no other key moves. 1 to 1,000, 100 is usual; default null. Beyond a
     * million entries in all, each endpoint gets half as many, or a quarter, and so on.
     */
    entriesPerEndpoint: perEndpoint().nullable().default(null),
    ...keyShape,
  })
  .check(sizesInOrder);

export type RingHashOptions = z.input<typeof ringHashOptionsSchema>;
export type ResolvedRingHashOptions = z.output<typeof ringHashOptionsSchema>;

export const consistentHashOptionsSchema = z.strictObject({
  /** Entries for each unit of an endpoint's weight; more spread keys more evenly. Default 100, range 1 to 1,000. */
  entriesPerEndpoint: perEndpoint().default(100),
  ...keyShape,
});

export type ConsistentHashOptions = z.input<typeof consistentHashOptionsSchema>;
export type ResolvedConsistentHashOptions = z.output<typeof consistentHashOptionsSchema>;

/** What `ring_hash` works with. */
export interface RingOptions {
  readonly minRingSize?: number | undefined;
  readonly maxRingSize?: number | undefined;
  readonly ringSizeCap?: number;
  readonly entriesPerEndpoint: number | null;
  readonly requestHashHeader: string | null;
  readonly boundedLoadFactor: number | null;
}

/** How large these options want a ring (R127). */
export function ringSizeOf({
  minRingSize = MIN_RING_SIZE_DEFAULT,
  maxRingSize = MAX_RING_SIZE_DEFAULT,
  ringSizeCap = RING_SIZE_CAP_DEFAULT,
  entriesPerEndpoint,
}: RingOptions): RingSize {
  if (entriesPerEndpoint !== null) return { perWeight: entriesPerEndpoint };
  return { min: Math.min(minRingSize, ringSizeCap), max: Math.min(maxRingSize, ringSizeCap) };
}
