import type { status } from "@grpc/grpc-js";
import { configInvalid, ResilienceError, saidBy } from "../core/index.js";
import type { Registrar, ServiceHealth, ServiceStatus } from "./registration.js";

/** As everywhere: a closed thing is no server that is away, and nobody is to repeat what it was asked. */
const CANCELLED: status.CANCELLED = 1;
const UNAVAILABLE: status.UNAVAILABLE = 14;

const STATUSES: readonly unknown[] = ["passing", "warning", "critical"] satisfies ServiceStatus[];
/** Consul keeps 4,096 bytes of it. */
const MAX_NOTE = 1_000;

/**
 * Checks what somebody says of a service.
 * @throws ResilienceError `CONFIG_INVALID` for what no registry takes, or not this one
 */
export function healthOf(registrar: Registrar, status: unknown, note: unknown): ServiceHealth {
  if (registrar.statusProblem !== null) throw configInvalid(`setStatus: ${registrar.statusProblem}`);
  if (!STATUSES.includes(status)) {
    throw configInvalid(
      `setStatus: the status is ${shown(status)}; allowed: ${STATUSES.map(shown).join(", ")}`,
    );
  }
  if (typeof note !== "string" || note.length > MAX_NOTE) {
    const what = typeof note === "string" ? `${note.length} characters long` : shown(note);
    throw configInvalid(`setStatus: the note is ${what}; allowed: a text of up to ${MAX_NOTE} characters`);
  }
  return { status: status as ServiceStatus, note };
}

export function closedError({ id, target }: Registrar): ResilienceError {
  const details = `the registration of ${id} at ${target} is closed`;
  return new ResilienceError({ reason: "CLIENT_CLOSED", code: CANCELLED, details });
}

/** @param what was not done */
export function unreachableError(what: string, cause: Error): ResilienceError {
  const details = `${what}: ${saidBy(cause)}`;
  return new ResilienceError({
    reason: "DISCOVERY_FAILED",
    code: UNAVAILABLE,
    details,
    cause,
    processed: "maybe",
  });
}

function shown(value: unknown): string {
  return typeof value === "string"
    ? JSON.stringify(value.slice(0, 80))
    : value === null
      ? "null"
      : typeof value;
}
