import type { ChannelCredentials } from "@grpc/grpc-js";
import { z } from "zod";
import type { ChannelOptions } from "../call/index.js";
import { durationMs, isObject, positiveMs } from "../core/index.js";
import { raftChannelRefusals } from "./channel-beneath-options.js";

/** What a Go gRPC server, and so eraft's, takes by default. */
const SERVER_LIMIT_BYTES = 4_194_304;
/** Room for the five numbers of an AppendEntries at their longest, and for a byte or two of an entry. */
const MIN_MESSAGE_BYTES = 64;

const messageBytes = () => z.int().min(MIN_MESSAGE_BYTES).max(2_147_483_647).default(SERVER_LIMIT_BYTES);

/** What a peer decides by, beside how its server is reached. */
export const raftPeerOptionsShape = {
  /** Limit of one RequestVote, in ms. Default 100 (eraft's); 1 or more. */
  voteTimeoutMs: positiveMs().default(100),
  /** Limit of one AppendEntries, in ms; a request sent in parts has it for each part. Default 100 (eraft's); 1 or more. */
  appendTimeoutMs: positiveMs().default(100),
  /**
   * The slowest link that a batch of entries must get through, in bytes per second: a message has appendTimeoutMs and, in
   * whole ms, the time its commands take at this rate: 131 ms more for a part of 512 KiB. Default 4,000,000, what a server
   * with HTTP/2's default window takes at a round trip of 16 ms; 1 or more; null for the same limit whatever the size
   * (eraft's).
   */
  appendMinBytesPerSecond: z.number().min(1).nullable().default(4_000_000),
  /** Limit of one InstallSnapshot, in ms. Default 1,000 (eraft's); 1 or more. */
  snapshotTimeoutMs: positiveMs().default(1_000),
  /**
   * The slowest link a snapshot must get through, in bytes per second: its limit is then snapshotTimeoutMs plus the time
   * its bytes take at this rate. Default null, the same limit for every snapshot; 1 or more.
   */
  snapshotMinBytesPerSecond: z.number().min(1).nullable().default(null),
  /**
   * A batch of entries larger than this goes out in parts of at most this size, in bytes, so that each gets through in its
   * time. Default 524,288; 64 to 2,147,483,647, and never more than maxAppendBytes.
   */
  appendPartBytes: z.int().min(MIN_MESSAGE_BYTES).max(2_147_483_647).default(524_288),
  /**
   * Largest AppendEntries message, in bytes, for a single entry larger than appendPartBytes; a larger one fails unsent.
   * Default 4,194,304, what eraft's servers take; 64 to 2,147,483,647.
   */
  maxAppendBytes: messageBytes(),
  /** Largest InstallSnapshot message, in bytes; a larger one fails unsent. Default and range as maxAppendBytes. */
  maxSnapshotBytes: messageBytes(),
  /**
   * No failure is told earlier than this after its call began, in ms, so that a caller that repeats at once does not
   * spin. Default 10; 0 tells it at once.
   */
  minFailureMs: durationMs().default(10),
};

/** All options of `createRaftPeerOver`, which is given a link. */
export const linkedPeerOptionsSchema: z.ZodObject<typeof raftPeerOptionsShape, z.core.$strict> =
  z.strictObject(raftPeerOptionsShape);
export type LinkedPeerOptions = z.input<typeof linkedPeerOptionsSchema>;
export type ResolvedLinkedPeerOptions = z.output<typeof linkedPeerOptionsSchema>;

/** A channel that sends less than the peer may would fail what the peer was told to send. */
export const messagesFitChannel = z.superRefine<object>(
  (options, context) => {
    const { channel, ...limits } = options as { channel?: { maxSendMessageBytes?: unknown } };
    const limit = channel?.maxSendMessageBytes;
    const needs = (["maxAppendBytes", "maxSnapshotBytes"] as const).map((name) => ({
      name,
      bytes: Number(Reflect.get(limits, name)),
    }));
    const largest = needs.reduce((a, b) => (b.bytes > a.bytes ? b : a));
    if (typeof limit !== "number" || !(largest.bytes > limit)) return;
    const message = `maxSendMessageBytes is ${limit}; allowed: ${largest.name} (${largest.bytes}) or more`;
    context.addIssue({ code: "custom", path: ["channel"], message });
  },
  { when: isObject },
);

/** All options of `createRaftPeer`. */
export const raftPeerOptionsSchema = z
  .strictObject({
    ...raftPeerOptionsShape,
    /** grpc-js channel credentials. Either these or `insecure: true`. */
    credentials: z.unknown().optional(),
    /** True for plaintext; warns once. */
    insecure: z.unknown().optional(),
    /**
     * Further options of the channel, as for `createChannel`; the preset `raft` lies beneath. Its maxSendMessageBytes
     * follows maxAppendBytes and maxSnapshotBytes.
     */
    channel: z
      .looseObject({ ...raftChannelRefusals, maxSendMessageBytes: z.unknown().optional() })
      .default({}),
  })
  .check(messagesFitChannel);

export interface RaftPeerOptions extends LinkedPeerOptions {
  /** grpc-js channel credentials. Either these or `insecure: true`. */
  readonly credentials?: ChannelCredentials;
  /** True for plaintext; warns once. */
  readonly insecure?: boolean;
  /**
   * Further options of the channel, as for `createChannel`; the preset `raft` lies beneath. Its maxSendMessageBytes
   * follows maxAppendBytes and maxSnapshotBytes.
   */
  readonly channel?: Omit<ChannelOptions, "credentials" | "insecure" | "preset">;
}
export type ResolvedRaftPeerOptions = z.output<typeof raftPeerOptionsSchema>;
