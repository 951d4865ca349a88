import { configInvalid, saidBy } from "../core/index.js";
import type { CommandCodec, LogEntry } from "./raft-messages.js";
import { toBytes } from "./wire-fields.js";

const BYTES: CommandCodec<Uint8Array> = {
  encode: (command) => command,
  decode: (bytes) => bytes,
};

/**
 * The codec given, or the one that passes bytes untouched.
 * @throws ResilienceError `CONFIG_INVALID` for what has no `encode` and `decode`
 */
export function codecOr<Command>(codec: CommandCodec<Command> | undefined): CommandCodec<Command> {
  if (codec !== undefined && !isCodec(codec))
    throw configInvalid("commandCodec is none; allowed: an object with the methods encode and decode");
  // Without a codec `Command` is Uint8Array: that is the default of every type that has one.
  return codec ?? (BYTES as unknown as CommandCodec<Command>);
}

function isCodec(value: unknown): boolean {
  return (["encode", "decode"] as const).every(
    (name) => typeof Reflect.get(Object(value), name) === "function",
  );
}

/** @throws RangeError naming the entry whose command the codec cannot encode, or encodes as something else than bytes */
export function encodeEntries<Command>(
  entries: readonly LogEntry<Command>[],
  codec: CommandCodec<Command>,
): readonly LogEntry[] {
  if ((codec as unknown) === BYTES) return entries as unknown as readonly LogEntry[];
  return Array.from(entries, (entry, position) =>
    naming(position, "encoded", () => ({
      index: entry.index,
      term: entry.term,
      command: toBytes("command", codec.encode(entry.command), { list: "entries", index: position }),
    })),
  );
}

/** @throws RangeError naming the entry whose command the codec cannot decode */
export function decodeEntries<Command>(
  entries: readonly LogEntry[],
  codec: CommandCodec<Command>,
): readonly LogEntry<Command>[] {
  if ((codec as unknown) === BYTES) return entries as unknown as readonly LogEntry<Command>[];
  return entries.map((entry, position) => ({
    index: entry.index,
    term: entry.term,
    command: naming(position, "decoded", () => codec.decode(entry.command)),
  }));
}

function naming<T>(position: number, done: string, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (cause instanceof RangeError && cause.message.startsWith("entries[")) throw cause;
    const why = saidBy(cause);
    throw new RangeError(`entries[${position}].command cannot be ${done}: ${why}`, { cause });
  }
}
