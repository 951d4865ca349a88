import { status as Status, type StatusObject } from "@grpc/grpc-js";
import {
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as Serving,
} from "../gen/grpc/health/v1/health.js";
import type { CheckAnswer } from "./health-check.js";

/** `unknown` until the first answer: such an endpoint counts as one that still connects. */
export type HealthWord = "unknown" | "serving" | "not-serving";

/** What is known of an endpoint's health, and why in words where it is not serving. */
export interface HealthVerdict {
  readonly status: HealthWord;
  readonly detail: string | null;
  /** True for the server's own word, which holds for all connections to it; false for a failure to hear it. */
  readonly isHeard: boolean;
}

export const UNKNOWN: HealthVerdict = { status: "unknown", detail: null, isHeard: false };
export const SERVING: HealthVerdict = { status: "serving", detail: null, isHeard: true };

/** The verdict on an endpoint that says so itself. */
export function notServing(detail: string): HealthVerdict {
  return { status: "not-serving", detail, isHeard: true };
}

/** The verdict on an endpoint that does not answer as it should. */
export function unheard(detail: string): HealthVerdict {
  return { status: "not-serving", detail, isHeard: false };
}

/** Reads a serialized HealthCheckResponse: anything but SERVING is not serving (R82). */
export function verdictOfMessage(bytes: Uint8Array): HealthVerdict {
  let status: Serving;
  try {
    status = HealthCheckResponse.decode(bytes).status;
  } catch {
    return unheard("the answer is no HealthCheckResponse");
  }
  if (status === Serving.SERVING) return SERVING;
  return notServing(Serving[status] ?? `the serving status ${status}, which has no name`);
}

/** What a Check says, or null where the server does not know the method. */
export function verdictOfCheck({ code, details, message }: CheckAnswer): HealthVerdict | null {
  if (code === Status.OK && message !== null) return verdictOfMessage(message);
  if (code === Status.UNIMPLEMENTED) return null;
  if (code === Status.NOT_FOUND) return notServing("the service does not exist there");
  return unheard(ended("Check", { code, details }));
}

export function verdictOfWatchEnd(status: Pick<StatusObject, "code" | "details">): HealthVerdict {
  return unheard(ended("Watch", status));
}

function ended(what: string, { code, details }: Pick<StatusObject, "code" | "details">): string {
  const name = Status[code] ?? String(code);
  // Servers on grpc-js say OK twice.
  const said = details === "" || details === name ? "" : `: ${details}`;
  return `the ${what} ended with ${name}${said}`;
}
