import type { CallOptions } from "@grpc/grpc-js";
import { callOptions } from "../call/index.js";

type Deadline = NonNullable<CallOptions["deadline"]>;

/** Far more than a caller with a few fixed timeouts needs; one that counts down its own time starts over now and then. */
const MAX_KEPT = 1_000;

/** What carries a timeout to the channel, kept because it is the same for every call with that timeout. */
export class CallDeadlines {
  readonly #kept = new Map<number, Deadline>();

  /**
   * @param timeoutMs rounded up to a whole one: a call with half a millisecond left ends as a timeout, not as an error
   * @throws ResilienceError `CONFIG_INVALID` when it is no number, or larger than gRPC's longest duration
   */
  of(timeoutMs: number): Deadline {
    const wholeMs = Math.max(1, Math.ceil(timeoutMs));
    const kept = this.#kept.get(wholeMs);
    if (kept !== undefined) return kept;
    // Raft and the Clerk repeat by rules of their own; a second layer below would multiply the attempts.
    const { deadline } = callOptions({ timeoutMs: wholeMs, retry: false });
    if (this.#kept.size >= MAX_KEPT) this.#kept.clear();
    this.#kept.set(wholeMs, deadline as Deadline);
    return deadline as Deadline;
  }
}
