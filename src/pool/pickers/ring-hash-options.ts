import { z } from "zod";
import { exceeds, isObject } from "../../core/index.js";

const MAX_RING_SIZE = 8_388_608;
const HEADER_NAME = /^[0-9a-z_.-]+$/;

const ringSize = () => z.int().min(1).max(MAX_RING_SIZE);

export const ringHashOptionsSchema = z
  .strictObject({
    /** Entries on the ring at least. Default 1,024, range 1 to 8,388,608; more spread keys more evenly (gRFC A42). */
    minRingSize: ringSize().default(1_024),
    /**
     * Entries on the ring at most. Default 4,096, range `minRingSize` to 8,388,608. Endpoints beyond this number get no
     * entry, and so no calls: with thousands of them, raise this and `ringSizeCap` to several times their number.
     */
    maxRingSize: ringSize().default(4_096),
    /**
     * What this client makes of larger ring sizes, whoever asked for them: no more than this many entries. Default
     * 4,096, range 1 to 8,388,608. Building takes about a microsecond per entry, and 12 bytes stay.
     */
    ringSizeCap: ringSize().default(4_096),
    /**
     * Request header whose value is the key of a call without `hashKey`, such as `x-user-id`; several values are joined
     * by commas (gRFC A76). Lower-case, not ending in `-bin`. Default null. A call with no key, from neither place, goes to an
     * endpoint by chance, and rather to a connected one.
     */
    requestHashHeader: z
      .string()
      .max(128)
      .refine((name) => HEADER_NAME.test(name) && !name.endsWith("-bin"), {
        message:
          "allowed: lower-case letters, digits, and the signs - _ . in a name that does not end in -bin",
      })
      .nullable()
      .default(null),
    /**
     * Bounded load: no endpoint gets more than this many times its share of the calls in flight; what is too much goes
     * on along the ring. More than 1; 1.25 is usual. Default null, no bound.
     */
    boundedLoadFactor: z.number().gt(1).max(1_000).nullable().default(null),
  })
  .refine(({ minRingSize, maxRingSize }) => !exceeds(minRingSize, maxRingSize), {
    when: isObject,
    error: ({ input }) => {
      const { minRingSize, maxRingSize } = input as { minRingSize: number; maxRingSize: number };
      return `minRingSize is ${minRingSize}; allowed: maxRingSize (${maxRingSize}) or less`;
    },
  });

export type ResolvedRingHashOptions = z.output<typeof ringHashOptionsSchema>;
