import type { Clock, KvCommand, KvHandler, KvReply, LogEntry, NodeStatus, Timer } from "holdfast";
import type { RaftNode } from "../raft/raft-node.js";
import { RequestRefused } from "../request-refused.js";
import { decodeKvCommand, encodeKvCommand, kvCommandBytes } from "./kv-command.js";
import type { KvStore } from "./kv-store.js";

export interface KvServiceOptions {
  readonly me: number;
  readonly raft: RaftNode;
  readonly store: KvStore;
  readonly clock: Clock;
  /** How long a command may wait until it is applied, in ms. Default 500 (eraft's). */
  readonly executeTimeoutMs?: number;
}

interface Waiter {
  readonly term: number;
  readonly settle: (reply: KvReply) => void;
}

/** Room for the rest of an AppendEntries below gRPC's 4 MiB: a command over it could never reach the others. */
const MAX_COMMAND_BYTES = 4 * 1024 * 1024 - 16 * 1024;
const DEFAULT_EXECUTE_TIMEOUT_MS = 500;

const WRONG_LEADER: KvReply = { err: "ErrWrongLeader", value: "" };
/** Nobody knows: the command may be applied later. */
const TIMEOUT: KvReply = { err: "ErrTimeout", value: "" };

/** Clients' commands through the log, reads too, so that every reply is linearizable; and the node's own view. */
export class KvService implements KvHandler {
  readonly #options: KvServiceOptions;
  readonly #executeTimeoutMs: number;
  /** By index in the log. */
  readonly #waiters = new Map<number, Waiter>();

  constructor(options: KvServiceOptions) {
    this.#options = options;
    this.#executeTimeoutMs = options.executeTimeoutMs ?? DEFAULT_EXECUTE_TIMEOUT_MS;
  }

  /** @throws RequestRefused when the command is not one, or too large */
  command(request: KvCommand): KvReply | Promise<KvReply> {
    checkCommand(request);
    const { raft, store } = this.#options;
    if (raft.status().role !== "Leader") return WRONG_LEADER;
    const known = store.replyOf(request);
    if (known !== null) return known;
    const proposal = raft.propose(encodeKvCommand(request));
    if (proposal === null) return WRONG_LEADER;
    return new Promise((resolve) => this.#wait(proposal.index, proposal.term, resolve));
  }

  status(): NodeStatus {
    const { role, term, commitIndex, storageBytes } = this.#options.raft.status();
    const { me, store } = this.#options;
    const bytes = storageBytes + store.bytes;
    return { id: me, state: role, term, lastApplied: commitIndex, commitIndex, storageBytes: bytes };
  }

  /** Applies a committed entry, and answers who waits for it. */
  apply(entry: LogEntry): void {
    const command = decodeKvCommand(entry.command);
    const reply = command === null ? null : this.#options.store.apply(command);
    const waiter = this.#waiters.get(entry.index);
    // Another leader's entry in its place: the reply is that of another command.
    waiter?.settle(reply !== null && waiter.term === entry.term ? reply : TIMEOUT);
  }

  /** This node leads no more: what still waits may or may not be applied, which is never "wrong leader". */
  leadershipLost(): void {
    for (const waiter of [...this.#waiters.values()]) waiter.settle(TIMEOUT);
  }

  #wait(index: number, term: number, resolve: (reply: KvReply) => void): void {
    const settle = (reply: KvReply): void => {
      timer.cancel();
      this.#waiters.delete(index);
      resolve(reply);
    };
    const timer: Timer = this.#options.clock.setTimer(() => settle(TIMEOUT), this.#executeTimeoutMs, {
      keepAlive: true,
    });
    this.#waiters.set(index, { term, settle });
  }
}

function checkCommand(command: KvCommand): void {
  const { key, value, op, clientId, commandId } = command;
  const check = (field: keyof KvCommand, isAllowed: boolean, allowed: string): void => {
    if (isAllowed) return;
    throw RequestRefused.invalid(`${field} is ${String(command[field]).slice(0, 80)}; allowed: ${allowed}`);
  };
  check("op", op === "put" || op === "append" || op === "get", "put, append, get");
  check("key", typeof key === "string", "a string");
  check("value", typeof value === "string", "a string");
  check("clientId", isId(clientId), "a bigint from 0 to 2^63-1");
  check("commandId", isId(commandId), "a bigint from 0 to 2^63-1");
  const bytes = kvCommandBytes(command);
  if (bytes > MAX_COMMAND_BYTES)
    throw RequestRefused.tooLarge(`the command has ${bytes} bytes; allowed: ${MAX_COMMAND_BYTES}`);
}

function isId(value: bigint): boolean {
  return typeof value === "bigint" && value >= 0n && value < 2n ** 63n;
}
