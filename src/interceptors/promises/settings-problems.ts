import { configInvalid, ResilienceError, saidBy } from "../../core/index.js";

/** Options of a call that `promises()` takes beside the settings of `callOptions`. */
export const EXTRA_KEYS: readonly string[] = [
  "metadata",
  "onHeaders",
  "onStatus",
  "parent",
  "propagateFlags",
  "credentials",
];
const HINT = `promises() also takes ${EXTRA_KEYS.slice(0, -1).join(", ")} and ${EXTRA_KEYS.at(-1)}`;
const COUNTED = /^\w+: (\d+) problems?: (.*)$/s;

/**
 * What `callOptions` refused, in the words of somebody who called `promises()`.
 *
 * @param problems found before, to be told with it
 */
export function settingsRefused(error: unknown, problems: readonly string[]): Error {
  if (!(error instanceof ResilienceError)) return error as Error;
  const [, count = "1", said = saidBy(error)] = COUNTED.exec(error.details) ?? [];
  const total = problems.length + Number(count);
  const hint = said.includes("is not a known key") && !said.endsWith(HINT) ? `; ${HINT}` : "";
  return configInvalid(
    `promises: ${total === 1 ? "1 problem" : `${total} problems`}: ${[...problems, said].join("; ")}${hint}`,
    error,
  );
}
