import { status as Status, type StatusObject } from "@grpc/grpc-js";
import type { Outcome, Processed, Progress, Reason } from "../core/index.js";
import { type Disguise, findDisguise } from "./disguises.js";

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
  /**
   * The HTTP/2 session had ended too, all its streams with it; after a GOAWAY that lets running calls finish it goes
   * on. Absent where it cannot be seen.
   */
  readonly isSessionOver?: boolean;
}

/** What a grpc-js that repeats calls by itself puts on the status of an attempt after the first. */
const EARLIER_ATTEMPTS_KEY = "grpc-previous-rpc-attempts";

/** Turns a status of grpc-js, and what else is known, into the facts that decisions need. */
export function classify(status: StatusObject, evidence: Evidence): Outcome {
  const disguise = isMadeLocally(status) ? findDisguise(status) : null;
  if (disguise === null || isSaidByServer(disguise, evidence)) return remote(status, evidence);
  if (disguise.reason === "REMOTE") return reset(status, disguise, evidence);
  if (disguise.reason === "DEADLINE_EXCEEDED")
    return local(status, timeoutReason(evidence), disguise, evidence);
  // A stub's own channel that cannot connect says so at once, again and again: that is a failed pick, not a race.
  if (!evidence.isPooled && progressOf(status, disguise, evidence) === "unsent") {
    return notSent({ ...status, code: Status.UNAVAILABLE }, "DIAL_FAILED");
  }
  return local(status, disguise.reason, disguise, evidence);
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

/** RST_STREAM: the server's word, unless the end of the connection put that code on all its streams (R178). */
function reset(status: StatusObject, disguise: Disguise, evidence: Evidence): Outcome {
  // After headers a stream may outlive the GOAWAY that made its connection one of the past.
  const isCutOff = evidence.isConnectionLost && (!evidence.hasHeaders || evidence.isSessionOver === true);
  if (!isCutOff || isEchoOfDeadline(status, evidence)) return remote(status, evidence);
  return local(status, "CONNECTION_LOST", disguise, evidence);
}

function remote(status: StatusObject, evidence: Evidence): Outcome {
  if (isEchoOfDeadline(status, evidence)) {
    const details = `Deadline exceeded, as the server found too: ${status.details}`;
    const echoed = { ...status, code: Status.DEADLINE_EXCEEDED, details };
    return local(echoed, timeoutReason(evidence), { progress: "sent" }, evidence);
  }
  // Without a stream nobody but grpc-js can have said it, in words that are new to us.
  if (evidence.isStreamOpened === false && isMadeLocally(status)) return notSent(status, "CONNECTION_LOST");
  return {
    ...status,
    reason: "REMOTE",
    origin: "remote",
    processed: evidence.hasMessage ? "yes" : "maybe",
    progress: "sent",
    isConnectionLoss: false,
  };
}

function local(
  said: StatusObject,
  reason: Reason,
  disguise: Pick<Disguise, "progress" | "isConnectionLoss" | "isUnseen">,
  evidence: Evidence,
): Outcome {
  // R178: a lost connection wears the code of its RST or GOAWAY; to caller and policy it is UNAVAILABLE.
  const code = reason === "CONNECTION_LOST" ? Status.UNAVAILABLE : said.code;
  const progress = progressOf(said, disguise, evidence);
  const processed: Processed = evidence.hasMessage ? "yes" : progress === "sent" ? "maybe" : "no";
  const isLossOfStream = progress === "sent" && evidence.isConnectionLost && reason === "CONNECTION_LOST";
  const isConnectionLoss = disguise.isConnectionLoss === true || isLossOfStream;
  return { ...said, code, reason, origin: "local", processed, progress, isConnectionLoss };
}

function progressOf(
  status: StatusObject,
  { progress, isUnseen }: Pick<Disguise, "progress" | "isUnseen">,
  evidence: Evidence,
): Progress {
  if (progress === "sent") return evidence.isStreamOpened === false && isUnseen !== true ? "unsent" : "sent";
  // Of the attempts that a stub's own channel made before this one nothing is known.
  if (status.metadata.get(EARLIER_ATTEMPTS_KEY).length > 0) return "sent";
  // Node gives all streams the code of the GOAWAY that ended the session, and one of them is REFUSED_STREAM.
  if (progress === "refused" && evidence.isSessionOver === true) return "sent";
  return progress;
}

/**
 * A status in one frame with its headers (Trailers-Only) carries the server's metadata, its content type at least;
 * those that grpc-js makes up carry nothing of a server.
 */
function isMadeLocally({ metadata }: StatusObject): boolean {
  return Object.keys(metadata.getMap()).every((key) => key === EARLIER_ATTEMPTS_KEY);
}

/** After headers on a living connection, in good time, such words are the server's own trouble with somebody else. */
function isSaidByServer({ reason, progress }: Disguise, evidence: Evidence): boolean {
  // Headers prove that the stream was neither unsent nor refused: a gateway hands on words of its own backend.
  if (evidence.hasHeaders && progress !== "sent") return true;
  if (!evidence.hasHeaders || !evidence.isPooled) return false;
  if (reason === "DEADLINE_EXCEEDED") return !evidence.isDeadlineDue;
  return reason === "CONNECTION_LOST" && !evidence.isConnectionLost;
}

/** R52: a server enforces the deadline it was sent, and may say so, or cancel, just before our own timer fires. */
function isEchoOfDeadline({ code, details }: StatusObject, evidence: Evidence): boolean {
  if (!evidence.isDeadlineDue || evidence.hasHeaders) return false;
  // Also UNKNOWN: some servers hand on their own runtime's words for it.
  if (code === Status.UNKNOWN) return /deadline exceeded/i.test(details);
  return code === Status.DEADLINE_EXCEEDED || code === Status.CANCELLED;
}

function timeoutReason({ isAttemptLimited }: Evidence): Reason {
  return isAttemptLimited ? "ATTEMPT_TIMEOUT" : "DEADLINE_EXCEEDED";
}
