import type { Outcome } from "../../core/index.js";
import type { CallLogger } from "../plain/logging-interceptor.js";
import { Quietly } from "../plain/quietly.js";

/** A pino logger, or anything with these two of its methods. */
export type RetryLogger = Pick<CallLogger, "info" | "warn">;

/** Writes the three lines about repeats, without payloads, metadata or a server's text; a logger that throws changes no call. */
export class RepeatLog {
  readonly #quietly = new Quietly("a logger of retries threw");

  constructor(private readonly logger: RetryLogger | undefined) {}

  /** @param failed how the attempt before ended; null for a hedge */
  attempt(method: string, attempt: number, delayMs: number, failed: Outcome | null): void {
    const ms = Math.round(delayMs);
    const cause = failed === null ? {} : { code: failed.code, reason: failed.reason };
    this.#write("info", { method, attempt, delayMs: ms, ...cause }, `attempt ${attempt} after ${ms} ms`);
  }

  succeeded(method: string, attempt: number): void {
    this.#write("info", { method, attempt }, `succeeded on attempt ${attempt}`);
  }

  exhausted(method: string, attempts: number, { code, reason }: Outcome): void {
    this.#write("warn", { method, attempts, code, reason }, "retries exhausted");
  }

  #write(level: "info" | "warn", line: object, message: string): void {
    const { logger } = this;
    if (logger !== undefined) this.#quietly.run(() => logger[level](line, message));
  }
}
