import { Metadata, type StatusObject, type status } from "@grpc/grpc-js";
import { classify, type Evidence } from "../../src/call/classify.js";
import type { Outcome } from "../../src/core/index.js";

/** Sent on a pooled connection that lives; nothing came back. */
export const SENT: Evidence = {
  hasHeaders: false,
  hasMessage: false,
  isStreamOpened: true,
  isConnectionLost: false,
  isAttemptLimited: false,
  isPooled: true,
  isDeadlineDue: false,
};

export const QUEUED = { isStreamOpened: false };

export const LOST = { isConnectionLost: true };

export function made(code: status, details: string, contentType?: string): StatusObject {
  const metadata = new Metadata();
  if (contentType !== undefined) metadata.set("content-type", contentType);
  return { code, details, metadata };
}

/** What is made of a status that carries no content type. */
export function facts(code: status, details: string, evidence: Partial<Evidence> = {}) {
  return brief(classify(made(code, details), { ...SENT, ...evidence }));
}

export function brief({ reason, origin, processed, progress, isConnectionLoss, code }: Outcome) {
  return { code, reason, origin, processed, progress, isConnectionLoss };
}
