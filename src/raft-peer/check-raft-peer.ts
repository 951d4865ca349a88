import type { ChannelOptions } from "../call/index.js";
import { canonicalAddress, describeIssues, parseAddress } from "../core/index.js";
import { channelBeneath, channelProblems } from "./channel-beneath.js";
import { type ResolvedRaftPeerOptions, raftPeerOptionsSchema } from "./raft-peer-options.js";

/** What the preset `raft` gives a dial. */
const PRESET_CONNECT_MS = 350;

/** Options of a peer over gRPC, and those of its channel. */
export interface CheckedPeerOptions {
  readonly options: ResolvedRaftPeerOptions;
  readonly channel: ChannelOptions;
}

/** What the channel takes whatever the peer sends, because other stubs share it: a channel's own default. */
const CHANNEL_MESSAGE_BYTES = 4_194_304;

/** The one spelling of an address; null when it is none. */
export function checkAddress(key: string, address: unknown, problems: string[]): string | null {
  if (typeof address !== "string") {
    problems.push(`${key} is ${address === null ? "null" : typeof address}; allowed: a string, host:port`);
    return null;
  }
  const parsed = parseAddress(address);
  if (typeof parsed !== "string") return canonicalAddress(parsed);
  problems.push(`${key} is ${JSON.stringify(address)}, which ${parsed}`);
  return null;
}

/** Addresses of a whole cluster, and which of them is this node's. */
export function checkAddresses(addresses: unknown, me: unknown, problems: string[]): void {
  if (!Array.isArray(addresses) || addresses.length === 0) {
    const shown = Array.isArray(addresses) ? "an empty array" : `of type ${typeof addresses}`;
    problems.push(`addresses is ${shown}; allowed: 1 entry or more`);
    return;
  }
  const places = new Map<string, number>();
  for (const [place, text] of addresses.entries()) {
    const address = checkAddress(`addresses.${place}`, text, problems);
    if (address === null) continue;
    const first = places.get(address);
    if (first === undefined) places.set(address, place);
    else problems.push(`addresses.${place} is ${JSON.stringify(text)}, the same as addresses.${first}`);
  }
  const last = addresses.length - 1;
  if (!(Number.isInteger(me) && (me as number) >= 0 && (me as number) <= last))
    problems.push(`me is ${String(me)}; allowed: 0 to ${last}, a place in addresses`);
}

/** The options of a peer over gRPC, those of its channel included; null, with problems added, when they are not. */
export function checkPeerOptions(input: unknown, problems: string[]): CheckedPeerOptions | null {
  const result = raftPeerOptionsSchema.safeParse(input, { reportInput: true });
  if (!result.success) problems.push(...describeIssues(result.error.issues, raftPeerOptionsSchema, input));
  const bytes = Math.max(
    CHANNEL_MESSAGE_BYTES,
    result.data?.maxAppendBytes ?? 0,
    result.data?.maxSnapshotBytes ?? 0,
  );
  const longestMs = Math.max(result.data?.voteTimeoutMs ?? 0, result.data?.appendTimeoutMs ?? 0);
  const channel = channelBeneath("raft", input, {
    maxSendMessageBytes: bytes,
    // Over a slow network, where the calls have been given more time, a dial needs it as well.
    ...(longestMs > PRESET_CONNECT_MS ? { connectTimeoutMs: longestMs } : {}),
  });
  problems.push(...channelProblems(channel));
  return result.success ? { options: result.data, channel: channel as ChannelOptions } : null;
}
