import type { Clock, CommandIds } from "../../core/index.js";
import type { ResolvedClerkOptions } from "../clerk-options.js";
import type { KvOperation } from "../kv-messages.js";
import type { Attempting } from "./in-flight.js";
import type { LeaderFinder } from "./leader-finder.js";
import type { Endable } from "./running.js";
import type { ServerSet } from "./server-set.js";
import type { SessionPool } from "./sessions.js";

/** What an operation needs of its Clerk. */
export interface ClerkCore {
  readonly clock: Clock;
  readonly options: ResolvedClerkOptions;
  readonly finder: LeaderFinder;
  readonly servers: ServerSet;
  readonly sessions: SessionPool;
  /** Why discovery has given no servers yet; null when it has, or has said nothing. */
  readonly discoveryError: string | null;
  /** Reads are repeated freely and skip the server's duplicate check: they need no session. */
  nextReadIds(): CommandIds;
  attemptBegan(operation: Attempting, isRetry: boolean): void;
  attemptEnded(operation: Attempting): void;
  operationEnded(operation: Endable, isSuccess: boolean): void;
  requestEnded(request: Endable): void;
  /** The operation goes on: attempt number `attempt` follows. */
  noteRetry(op: KvOperation, attempt: number, address: string | null, cause: string): void;
}
