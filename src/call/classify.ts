import { status as Status, type StatusObject } from "@grpc/grpc-js";
import type { Outcome, Processed, Progress, Reason } from "../core/index.js";
import { isTrailersOnly } from "../pool/index.js";

/** What is known of an attempt beside its status. */
export interface Evidence {
  /** Response headers arrived. */
  readonly hasHeaders: boolean;
  /** A response message arrived: the one proof that the handler ran. */
  readonly hasMessage: boolean;
  /**
   * Whether grpc-js opened a stream: its `getPeer()` is the channel's target while a call is queued, and the bare
   * address once a stream existed; null where it cannot tell.
   */
  readonly isStreamOpened: boolean | null;
  /** The socket was gone when the status arrived. */
  readonly isConnectionLost: boolean;
  /** The attempt's own limit ends before the call's deadline. */
  readonly isAttemptLimited: boolean;
  /** The attempt ran on a connection of the pool, not on a stub's own channel that picks and dials by itself. */
  readonly isPooled: boolean;
  /** The attempt's time is up, give or take the granularity of timers: who said so first is chance. */
  readonly isDeadlineDue: boolean;
}

interface Disguise {
  /** Absent where a user's callback chooses the code. */
  readonly code?: Status;
  readonly text: RegExp;
  readonly reason: Reason;
  readonly progress: Progress;
  readonly isConnectionLoss?: boolean;
}

/**
 * The statuses that grpc-js 1.14 makes up itself, by their texts: nothing else of its public API tells them apart.
 * Tested against real sockets.
 */
const DISGUISES: readonly Disguise[] = [
  // Headers that HTTP/2 refuses, from call credentials: the same on every endpoint, and each try costs a connection.
  {
    code: Status.INTERNAL,
    text: /^Failed to start HTTP\/2 stream with error .*(header|pseudo)/i,
    reason: "METADATA_INVALID",
    progress: "no-pick",
  },
  {
    code: Status.UNAVAILABLE,
    text: /^Stream refused by server/,
    reason: "CONNECTION_LOST",
    progress: "refused",
  },
  {
    code: Status.UNAVAILABLE,
    text: /^No connection established/,
    reason: "CONNECTION_LOST",
    progress: "unsent",
  },
  {
    code: Status.UNAVAILABLE,
    text: /^Channel closed before call started/,
    reason: "CONNECTION_LOST",
    progress: "unsent",
  },
  {
    code: Status.INTERNAL,
    text: /^Failed to start HTTP\/2 stream/,
    reason: "CONNECTION_LOST",
    progress: "unsent",
  },
  {
    code: Status.DEADLINE_EXCEEDED,
    text: /waiting for (name resolution|metadata filters)$/,
    reason: "DEADLINE_EXCEEDED",
    progress: "unsent",
  },
  {
    code: Status.DEADLINE_EXCEEDED,
    text: /Waiting for LB pick$/,
    reason: "DEADLINE_EXCEEDED",
    progress: "unsent",
  },
  {
    code: Status.DEADLINE_EXCEEDED,
    text: /^Deadline exceeded/,
    reason: "DEADLINE_EXCEEDED",
    progress: "sent",
  },
  {
    code: Status.UNAVAILABLE,
    text: /^Connection dropped/,
    reason: "CONNECTION_LOST",
    progress: "sent",
    isConnectionLoss: true,
  },
  {
    code: Status.UNAVAILABLE,
    text: /^(read|write) E[A-Z]+/,
    reason: "CONNECTION_LOST",
    progress: "sent",
    isConnectionLoss: true,
  },
  { code: Status.UNAVAILABLE, text: /^Write (error|failed)/, reason: "CONNECTION_LOST", progress: "sent" },
  {
    code: Status.INTERNAL,
    text: /Session closed with error code/,
    reason: "CONNECTION_LOST",
    progress: "sent",
    isConnectionLoss: true,
  },
  {
    code: Status.RESOURCE_EXHAUSTED,
    text: /^(Sent|Received) message larger than max/i,
    reason: "MESSAGE_TOO_LARGE",
    progress: "sent",
  },
  // Not "unsent": a transparent retry would ask a broken token server again and again.
  { text: /^Getting metadata from plugin failed/, reason: "METADATA_INVALID", progress: "no-pick" },
  // grpc-js 1.14 opens the stream all the same.
  {
    code: Status.INTERNAL,
    text: /^"authorization" metadata cannot have/,
    reason: "METADATA_INVALID",
    progress: "sent",
  },
];

/** Turns a status of grpc-js, and what else is known, into the facts that decisions need. */
export function classify(status: StatusObject, evidence: Evidence): Outcome {
  const disguise = isTrailersOnly(status) ? null : findDisguise(status);
  if (disguise === null || isSaidByServer(disguise, evidence)) return remote(status, evidence);
  if (disguise.reason === "DEADLINE_EXCEEDED") return deadline(status, disguise, evidence);
  // A stub's own channel that cannot connect says so at once, again and again: that is a failed pick, not a race.
  if (!evidence.isPooled && disguise.progress === "unsent") return notSent(status, "DIAL_FAILED");
  const isConnectionLoss =
    disguise.isConnectionLoss === true || (disguise.progress === "sent" && evidence.isConnectionLost);
  return local(status, disguise.reason, disguise.progress, evidence, isConnectionLoss);
}

/** An end of our own making. grpc-js may still open the stream of a call cancelled as it starts, so never "no". */
export function cancelled(status: StatusObject, reason: Reason, evidence: Evidence): Outcome {
  const processed: Processed = evidence.hasMessage ? "yes" : "maybe";
  return { ...status, reason, origin: "local", processed, progress: "sent", isConnectionLoss: false };
}

/** A failure before any attempt was made, or instead of one. */
export function notSent(status: StatusObject, reason: Reason, progress: Progress = "no-pick"): Outcome {
  return { ...status, reason, origin: "local", processed: "no", progress, isConnectionLoss: false };
}

function remote(status: StatusObject, evidence: Evidence): Outcome {
  // R52: a server enforces the deadline it was sent, and may say so, or cancel, just before our own timer fires.
  if (isDeadlineEcho(status) && evidence.isDeadlineDue && !evidence.hasHeaders) {
    const reason: Reason = evidence.isAttemptLimited ? "ATTEMPT_TIMEOUT" : "DEADLINE_EXCEEDED";
    const echoed = {
      ...status,
      code: Status.DEADLINE_EXCEEDED,
      details: `Deadline exceeded, as the server found too: ${status.details}`,
    };
    return local(echoed, reason, "sent", evidence, false);
  }
  const isCutOff = !evidence.hasHeaders && evidence.isConnectionLost && isConnectionCode(status);
  if (isCutOff) return local(status, "CONNECTION_LOST", "sent", evidence, true);
  return {
    ...status,
    reason: "REMOTE",
    origin: "remote",
    processed: evidence.hasMessage ? "yes" : "maybe",
    progress: "sent",
    isConnectionLoss: false,
  };
}

/** After headers on a living connection, in good time, such words are the server's own trouble with somebody else. */
function isSaidByServer({ reason, progress }: Disguise, evidence: Evidence): boolean {
  // Headers prove that the stream was neither unsent nor refused: a gateway hands on words of its own backend.
  if (evidence.hasHeaders && progress !== "sent") return true;
  if (!evidence.hasHeaders || !evidence.isPooled) return false;
  if (reason === "DEADLINE_EXCEEDED") return !evidence.isDeadlineDue;
  return reason === "CONNECTION_LOST" && !evidence.isConnectionLost;
}

/** Also UNKNOWN: some servers hand on their own runtime's words for it. */
function isDeadlineEcho({ code, details }: StatusObject): boolean {
  if (code === Status.UNKNOWN) return /deadline exceeded/i.test(details);
  return code === Status.DEADLINE_EXCEEDED || code === Status.CANCELLED;
}

/** Statuses without trailers on a connection that is gone: RST codes that the end of the session put on its streams. */
function isConnectionCode(status: StatusObject): boolean {
  return !isTrailersOnly(status) && /RST_STREAM|Call cancelled|Bandwidth exhausted/.test(status.details);
}

function deadline(status: StatusObject, disguise: Disguise, evidence: Evidence): Outcome {
  const reason: Reason = evidence.isAttemptLimited ? "ATTEMPT_TIMEOUT" : "DEADLINE_EXCEEDED";
  return local(status, reason, disguise.progress, evidence, false);
}

function local(
  said: StatusObject,
  reason: Reason,
  saidProgress: Progress,
  evidence: Evidence,
  isConnectionLoss: boolean,
): Outcome {
  // R178: a lost connection wears the code of its RST or GOAWAY; to caller and policy it is UNAVAILABLE.
  const code = reason === "CONNECTION_LOST" ? Status.UNAVAILABLE : said.code;
  const progress = evidence.isStreamOpened === false && saidProgress === "sent" ? "unsent" : saidProgress;
  const processed: Processed = evidence.hasMessage ? "yes" : progress === "sent" ? "maybe" : "no";
  return { ...said, code, reason, origin: "local", processed, progress, isConnectionLoss };
}

function findDisguise(status: StatusObject): Disguise | null {
  return (
    DISGUISES.find(({ code, text }) => (code ?? status.code) === status.code && text.test(status.details)) ??
    null
  );
}
