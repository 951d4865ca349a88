import type { KvCommand, KvReply } from "holdfast";

interface LastWrite {
  readonly commandId: bigint;
  readonly reply: KvReply;
}

/**
 * The state machine: keys, values, and for each client id the highest applied write with its reply (eraft's rule
 * against doubles). In memory: a restarted node builds it again from its log. Clients are never forgotten.
 */
export class KvStore {
  readonly #values = new Map<string, string>();
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
    if (op === "append") this.#append(key, value);
    else this.#put(key, value);
    const reply: KvReply = { err: "OK", value: "" };
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
    return value === undefined ? { err: "ErrNoKey", value: "" } : { err: "OK", value };
  }

  #put(key: string, value: string): void {
    const old = this.#values.get(key);
    const goneBytes = old === undefined ? -Buffer.byteLength(key) : Buffer.byteLength(old);
    this.#bytes += Buffer.byteLength(value) - goneBytes;
    this.#values.set(key, value);
  }

  /** Counts only what is new: to count a long value at every append would make many of them quadratic. */
  #append(key: string, value: string): void {
    const old = this.#values.get(key);
    if (old === undefined) return this.#put(key, value);
    this.#bytes += Buffer.byteLength(value);
    this.#values.set(key, old + value);
  }
}
