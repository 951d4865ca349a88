import { problemsError, suggest } from "../core/index.js";
import type { Config, ConfigEntry, Section } from "./parse-config.js";

/** Names that an error lists at most. */
const MAX_LISTED = 30;

/**
 * The entry of this name.
 *
 * @throws ResilienceError `CONFIG_INVALID` that names those there are
 */
export function entryOf<S extends Section>(config: Config, section: S, name: string): ConfigEntry<S> {
  const entries: ReadonlyMap<string, unknown> = config[section];
  const entry = entries.get(name);
  if (entry !== undefined) return entry as ConfigEntry<S>;
  const names = [...entries.keys()];
  const shown = typeof name === "string" ? JSON.stringify(name.slice(0, 80)) : typeof name;
  const more = names.length > MAX_LISTED ? `, and ${names.length - MAX_LISTED} more` : "";
  const known = names.length === 0 ? "none" : `${names.slice(0, MAX_LISTED).join(", ")}${more}`;
  const near = typeof name === "string" && names.length > MAX_LISTED ? suggest(name, names) : "";
  throw problemsError("Holdfast", [`${section} has no ${shown}${near}; configured: ${known}`]);
}
