import { status as Status, type StatusObject } from "@grpc/grpc-js";
import type { Progress, Reason } from "../core/index.js";

/** What a status that grpc-js made up itself tells of an attempt. */
export interface Disguise {
  /** Absent where a user's callback chooses the code. */
  readonly code?: Status;
  readonly text: RegExp;
  /** `REMOTE`: the RST_STREAM of a server, unless the end of the connection put it on the stream. */
  readonly reason: Reason;
  /** How far the attempt got if nothing more is known of it. */
  readonly progress: Progress;
  /** The whole connection ended. */
  readonly isConnectionLoss?: boolean;
  /** A stream may have been opened before, or may yet be, though `getPeer()` says that there is none. */
  readonly isUnseen?: boolean;
}

const { UNAVAILABLE, INTERNAL, DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED, CANCELLED, PERMISSION_DENIED } = Status;

/**
 * The statuses that grpc-js 1.14 makes up itself, by their texts: nothing else of its public API tells them apart. The
 * first row that fits holds. Each is met on a real socket in `test/truth/`; `docs/outcome-truth.md` has the counts.
 */
const DISGUISES: readonly Disguise[] = [
  // Never left the client, and no repeat would: headers that HTTP/2 refuses, from call credentials. The same on every
  // endpoint, and each try costs a connection.
  {
    code: INTERNAL,
    text: /^Failed to start HTTP\/2 stream with error .*(header|pseudo)/i,
    reason: "METADATA_INVALID",
    progress: "no-pick",
  },
  // The same, found by grpc-js: HTTP/2 would refuse it a moment later.
  {
    code: INTERNAL,
    text: /^"authorization" metadata cannot have/,
    reason: "METADATA_INVALID",
    progress: "no-pick",
  },
  // Not "unsent": a transparent retry would ask a broken token server again and again.
  {
    text: /^(Invalid status from control plane: \d+ \w+ )?Getting metadata from plugin failed/,
    reason: "METADATA_INVALID",
    progress: "no-pick",
  },

  // Never left the client: `request()` of a session that is over throws.
  {
    code: INTERNAL,
    text: /^Failed to start HTTP\/2 stream/,
    reason: "CONNECTION_LOST",
    progress: "unsent",
  },
  // Never left the client: the load balancer has no connection to give.
  { code: UNAVAILABLE, text: /^No connection established/, reason: "CONNECTION_LOST", progress: "unsent" },
  // Never left the client: calls that still waited for a connection as the channel closed.
  {
    code: UNAVAILABLE,
    text: /^Channel closed before call started/,
    reason: "CONNECTION_LOST",
    progress: "unsent",
  },
  // Never left the client: a stub's own channel does not know, or understand, where to connect to.
  {
    code: UNAVAILABLE,
    text: /^(Name resolution failed for target|Failed to parse [\w+-]+ address|Unrecognized scheme .* in IP resolver|Parsing service config failed|All load balancer options in service config are not compatible)/i,
    reason: "CONNECTION_LOST",
    progress: "unsent",
  },

  // The server's library has the stream, its application does not (R21). RST_STREAM REFUSED_STREAM, or the stream is
  // above the last id of a GOAWAY.
  { code: UNAVAILABLE, text: /^Stream refused by server$/, reason: "CONNECTION_LOST", progress: "refused" },

  // Deadlines. A stub's own channel may repeat calls by itself (service config): of those before the last nothing is
  // known.
  {
    code: DEADLINE_EXCEEDED,
    text: /^Deadline exceeded.*,previous attempts: /,
    reason: "DEADLINE_EXCEEDED",
    progress: "sent",
    isUnseen: true,
  },
  // A deadline that has passed before the call starts: grpc-js reports it first and opens the stream all the same.
  {
    code: DEADLINE_EXCEEDED,
    text: /^Deadline exceeded.*,waiting for metadata filters$/,
    reason: "DEADLINE_EXCEEDED",
    progress: "sent",
    isUnseen: true,
  },
  // Never left the client: no name, or no connection, in time; later neither is looked at.
  {
    code: DEADLINE_EXCEEDED,
    text: /^Deadline exceeded.*,(waiting for name resolution|Waiting for LB pick)$/,
    reason: "DEADLINE_EXCEEDED",
    progress: "unsent",
  },
  // With `remote_addr=`: the stream was open.
  { code: DEADLINE_EXCEEDED, text: /^Deadline exceeded/, reason: "DEADLINE_EXCEEDED", progress: "sent" },

  // The connection ended under an open stream: the server may have run it (R22).
  {
    code: UNAVAILABLE,
    text: /^Connection dropped$/,
    reason: "CONNECTION_LOST",
    progress: "sent",
    isConnectionLoss: true,
  },
  // The socket's own error, said by the first stream it ended.
  {
    code: UNAVAILABLE,
    text: /^(read|write) E[A-Z]+/,
    reason: "CONNECTION_LOST",
    progress: "sent",
    isConnectionLoss: true,
  },
  // A GOAWAY with an error code ends all streams, also those above its last id, which nothing tells apart (R178).
  {
    code: INTERNAL,
    text: /Session closed with error code/,
    reason: "CONNECTION_LOST",
    progress: "sent",
    isConnectionLoss: true,
  },
  // Other errors of the socket or of the HTTP/2 session, such as a peer that does not speak it.
  {
    code: INTERNAL,
    text: /^Received RST_STREAM with code 2 triggered by internal client error: /,
    reason: "CONNECTION_LOST",
    progress: "sent",
    isConnectionLoss: true,
  },
  // A later message of a stream, written as the stream ended.
  { code: UNAVAILABLE, text: /^Write (error|failed)/, reason: "CONNECTION_LOST", progress: "sent" },

  // RST_STREAM (R165). No code but REFUSED_STREAM says that the application has not run.
  { code: INTERNAL, text: /^Received RST_STREAM with code \d+/, reason: "REMOTE", progress: "sent" },
  // CANCEL: also a server that is forced down, whatever its handlers have done.
  { code: CANCELLED, text: /^Call cancelled$/, reason: "REMOTE", progress: "sent" },
  // ENHANCE_YOUR_CALM.
  {
    code: RESOURCE_EXHAUSTED,
    text: /^Bandwidth exhausted or memory limit exceeded$/,
    reason: "REMOTE",
    progress: "sent",
  },
  // INADEQUATE_SECURITY.
  { code: PERMISSION_DENIED, text: /^Protocol not secure enough$/, reason: "REMOTE", progress: "sent" },

  // An answer over the limit of the client, or a request over that of a stub's own channel: its stream is open by then.
  {
    code: RESOURCE_EXHAUSTED,
    text: /^(Received message (larger than max|that decompresses to a size larger than)|Attempted to send message with a size larger than)/,
    reason: "MESSAGE_TOO_LARGE",
    progress: "sent",
  },
];

/** What grpc-js means by a status of its own making; null when a server made it. */
export function findDisguise(status: StatusObject): Disguise | null {
  return (
    DISGUISES.find(({ code, text }) => (code ?? status.code) === status.code && text.test(status.details)) ??
    null
  );
}
