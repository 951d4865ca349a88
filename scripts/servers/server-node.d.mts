/** Types of `server-node.mjs`. */
import type { ProcessState } from "./process-fleet.mjs";

export interface ServerNode {
  readonly name: string;
  /** `127.0.0.1:port` of its client API. */
  readonly address: string;
  /** Undefined while it does not run. */
  readonly pid: number | undefined;
  readonly state: ProcessState;
  /** SIGKILL; resolves once the process is gone. */
  kill(): Promise<void>;
  /** Starts it again with the same ports and, where it keeps any, the same data. */
  restart(): void;
  /** SIGSTOP. */
  freeze(): void;
  /** SIGCONT. */
  thaw(): void;
  /** The end of what it printed. */
  logTail(): string;
  isLeader(): Promise<boolean>;
  /** Waits until it serves, which it can only with a leader. */
  waitReady(timeoutMs?: number): Promise<void>;
}
