import { z } from "zod";

const MIB = 1024 * 1024;

const memoryNetworkShape = {
  /**
   * False delays each request by 0-26 ms and loses 10 % of the requests, and 10 % of the replies after the handler ran
   * (labrpc's unreliable network). Default true: nothing is delayed or lost.
   */
  reliable: z.boolean().default(true),
  /** Delays two thirds of the replies by 200-2,199 ms, short delays more often (labrpc). Default false. */
  longReordering: z.boolean().default(false),
  /** Calls to where nothing can be reached fail after 0-6,999 ms instead of 0-99 ms (labrpc). Default false. */
  longDelays: z.boolean().default(false),
  /**
   * Share of the requests that arrive a second time, 0-1,999 ms after the first, short delays more often; nobody hears
   * the second reply. For tests of at-most-once. 0-1, default 0.
   */
  duplicateRatio: z.number().min(0).max(1).default(0),
  /** Largest request or response, in bytes; larger ones end as `too-large`. Default 4 MiB, a gRPC server's limit. */
  maxMessageBytes: z
    .int()
    .min(1)
    .max(2 ** 31 - 1)
    .default(4 * MIB),
};

/** How a `MemoryNetwork` treats messages. All but `maxMessageBytes` may be switched while it runs. */
export const memoryNetworkOptionsSchema: z.ZodObject<typeof memoryNetworkShape, z.core.$strict> =
  z.strictObject(memoryNetworkShape);

export type MemoryNetworkOptions = z.input<typeof memoryNetworkOptionsSchema>;
export type ResolvedMemoryNetworkOptions = z.output<typeof memoryNetworkOptionsSchema>;
