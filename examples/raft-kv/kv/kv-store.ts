import type { KvCommand, KvReply } from "holdfast";

/** The longest value, in bytes of UTF-8: well below gRPC's 4 MiB for a reply, or it could be written and never read. */
export const MAX_VALUE_BYTES = 1024 * 1024;

const OK: KvReply = { err: "OK", value: "" };
/** The value, and all others, are what they were. */
const VALUE_TOO_LARGE: KvReply = { err: "ErrValueTooLarge", value: "" };

interface Value {
  readonly text: string;
  readonly bytes: number;
}

interface LastWrite {
  readonly commandId: bigint;
  readonly reply: KvReply;
}

/**
 * The state machine: keys, values, and for each client id the highest applied write with its reply (eraft's rule
 * against doubles). In memory: a restarted node builds it again from its log. Clients are never forgotten.
 */
export class KvStore {
  readonly #values = new Map<string, Value>();
  readonly #lastWrites = new Map<bigint, LastWrite>();
  #bytes = 0;

  /** Bytes of all keys and values. */
  get bytes(): number {
    return this.#bytes;
  }

  apply(command: KvCommand): KvReply {
    const { key, value, op, clientId, commandId } = command;
    if (op === "get") return this.#get(key);
    const known = this.replyOf(command);
    if (known !== null) return known;
    const reply = this.#write(key, value, op === "append");
    this.#lastWrites.set(clientId, { commandId, reply });
    return reply;
  }

  /** The reply to a write that is applied already, or that a later one of its client has passed; else null. */
  replyOf({ op, clientId, commandId }: KvCommand): KvReply | null {
    if (op === "get") return null;
    const last = this.#lastWrites.get(clientId);
    return last !== undefined && this.isDuplicate(commandId, last.commandId) ? last.reply : null;
  }

  /** Whether a write of a client has been passed by the highest one applied. Tests switch it off. */
  protected isDuplicate(commandId: bigint, highestApplied: bigint): boolean {
    return commandId <= highestApplied;
  }

  #get(key: string): KvReply {
    const value = this.#values.get(key);
    return value === undefined ? { err: "ErrNoKey", value: "" } : { err: "OK", value: value.text };
  }

  /** Counts only what is new: to count a long value at every append would make many of them quadratic. */
  #write(key: string, text: string, isAppend: boolean): KvReply {
    const old = this.#values.get(key);
    const kept = isAppend && old !== undefined ? old : { text: "", bytes: 0 };
    const bytes = kept.bytes + Buffer.byteLength(text);
    // Every node decides this alike, from the log alone: a command that is in it can no longer be refused.
    if (bytes > MAX_VALUE_BYTES) return VALUE_TOO_LARGE;
    this.#bytes += bytes - (old === undefined ? -Buffer.byteLength(key) : old.bytes);
    this.#values.set(key, { text: kept.text + text, bytes });
    return OK;
  }
}
