import type { CallOptions } from "@grpc/grpc-js";
import { callOptions, SettingsDeadline, settingsOf } from "../../call/index.js";
import { problemsError } from "../../core/index.js";
import type { PromiseCallOptions } from "./promise-types.js";
import { EXTRA_KEYS, settingsRefused } from "./settings-problems.js";

/** Turns the settings among the options of a call into what grpc-js takes. @throws ResilienceError `CONFIG_INVALID` */
export type SettingsReader = (given: PromiseCallOptions) => CallOptions;

/** Options that `promises()` sees to itself, on any stub. */
const OWN_KEYS: readonly string[] = [...EXTRA_KEYS, "signal"];
/** Settings that every grpc-js channel understands. */
const PLAIN_KEYS: readonly string[] = ["timeoutMs", "deadline"];
/** Remembered settings of one stub; programs that compute a new timeout for each call must not fill the memory. */
const MAX_REMEMBERED = 1_000;

/** For stubs whose calls somebody else sees on their way: each call has a deadline of its own. */
export function freshSettings(given: PromiseCallOptions): CallOptions {
  try {
    return callOptions(settingsIn(given));
  } catch (error) {
    throw settingsRefused(error, []);
  }
}

/** For stubs of grpc-js itself, which cannot do what our channel does. */
export function plainSettings(given: PromiseCallOptions): CallOptions {
  // First what is wrong on any stub: of a key that nobody knows none must be told that it needs our channel.
  const options = freshSettings(given);
  const settings = settingsIn(given);
  const problems = Object.keys(settings)
    .filter((key) => settings[key] !== undefined && !PLAIN_KEYS.includes(key))
    .map((key) => `${key} needs a hardened stub; make one with harden(stub) or stubFor(Class, channel)`);
  if (problems.length > 0) throw problemsError("promises", problems);
  return options;
}

/**
 * For calls that go straight to our channel: settings of plain values are parsed once and then known by their values,
 * because a parse costs as much as half a call. Known by identity, a changed object would be taken for the old one.
 */
export function rememberedSettings(): SettingsReader {
  let known = new Memory();
  let remembered = 0;
  return (given) => {
    const { hashKey } = given;
    // One that is refused is told with all else that is.
    const entry = hashKey === undefined || isKey(hashKey) ? known.entryOf(given) : null;
    if (entry === null) return freshSettings(given);
    if (entry.options !== null) return withKey(entry.options, hashKey);
    remembered++;
    if (remembered === MAX_REMEMBERED) {
      known = new Memory();
      remembered = 0;
    }
    entry.options = freshSettings({ ...given, hashKey: undefined });
    return withKey(entry.options, hashKey);
  };
}

function isKey(hashKey: unknown): boolean {
  return typeof hashKey === "string" && hashKey !== "";
}

/** Keys are many by nature, a user each: settings are remembered without them. */
function withKey(options: CallOptions, hashKey: string | undefined): CallOptions {
  const { deadline } = options;
  if (hashKey === undefined || !(deadline instanceof SettingsDeadline)) return options;
  return { deadline: new SettingsDeadline(deadline.getTime(), { ...settingsOf(deadline), hashKey }) };
}

/** A tree over keys and values, in the order in which the options have them. */
class Memory {
  options: CallOptions | null = null;
  readonly #next = new Map<string, Map<unknown, Memory>>();

  /** Null where a value is an object, which may change without becoming another. */
  entryOf(given: PromiseCallOptions): Memory | null {
    let entry: Memory = this;
    for (const key in given) {
      if (key === "hashKey" || OWN_KEYS.includes(key)) continue;
      const value: unknown = given[key as keyof PromiseCallOptions];
      if (typeof value === "object" && value !== null) return null;
      entry = entry.#after(key, value);
    }
    return entry;
  }

  #after(key: string, value: unknown): Memory {
    let byValue = this.#next.get(key);
    if (byValue === undefined) {
      byValue = new Map();
      this.#next.set(key, byValue);
    }
    let entry = byValue.get(value);
    if (entry === undefined) {
      entry = new Memory();
      byValue.set(value, entry);
    }
    return entry;
  }
}

function settingsIn(given: PromiseCallOptions): Record<string, unknown> {
  const settings: Record<string, unknown> = {};
  for (const key in given) {
    if (!OWN_KEYS.includes(key)) settings[key] = given[key as keyof PromiseCallOptions];
  }
  return settings;
}
