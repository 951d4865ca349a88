import type { Clock } from "../../src/core/index.js";
import { type CommandRequest, type CommandResponse, Op } from "../../src/gen/kvraftpb/kvraft.js";

/** Sends a command to the server at this place of the list; `null` stands for any gRPC error. */
export type PlainSend = (
  server: number,
  request: CommandRequest,
  timeoutMs: number,
  done: (reply: CommandResponse | null) => void,
) => void;

export interface PlainClerkParts {
  readonly servers: number;
  readonly clientId: bigint;
  readonly clock: Clock;
  readonly send: PlainSend;
}

const ATTEMPT_TIMEOUT_MS = 500;
const SLEEP_MS = 10;

/**
 * What the Clerk is measured against: eraft's own client, ported step by step. It begins with the first server; after any
 * gRPC error, ErrWrongLeader or ErrTimeout it goes to the next one and sleeps 10 ms, for ever. One command at a time.
 */
export class PlainClerk {
  readonly #parts: PlainClerkParts;
  #leader = 0;
  #commandId = 0n;
  #isClosed = false;

  constructor(parts: PlainClerkParts) {
    this.#parts = parts;
  }

  get(key: string): Promise<string> {
    return this.#command(key, "", Op.GET);
  }

  put(key: string, value: string): Promise<string> {
    return this.#command(key, value, Op.PUT);
  }

  append(key: string, value: string): Promise<string> {
    return this.#command(key, value, Op.APPEND);
  }

  /** Not in eraft's: a command that would go on for ever ends with an error. */
  close(): void {
    this.#isClosed = true;
  }

  async #command(key: string, value: string, op: Op): Promise<string> {
    const { servers, clientId } = this.#parts;
    const request = { key, value, op, clientId, commandId: this.#commandId };
    while (!this.#isClosed) {
      const reply = await this.#attempt(request);
      if (reply !== null && reply.err !== "ErrWrongLeader" && reply.err !== "ErrTimeout") {
        this.#commandId += 1n;
        return reply.value;
      }
      this.#leader = (this.#leader + 1) % servers;
      await this.#sleep();
    }
    throw new Error("the plain client is closed");
  }

  #attempt(request: CommandRequest): Promise<CommandResponse | null> {
    return new Promise((resolve) => this.#parts.send(this.#leader, request, ATTEMPT_TIMEOUT_MS, resolve));
  }

  #sleep(): Promise<void> {
    return new Promise((resolve) => this.#parts.clock.setTimer(resolve, SLEEP_MS, { keepAlive: true }));
  }
}
