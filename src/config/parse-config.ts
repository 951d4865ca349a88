import type { TlsMaterial, TlsOptions } from "../call/tls-options.js";
import { describeIssues, problemsError } from "../core/index.js";
import { type ConfigInput, configSchema } from "./config-options.js";
import { plainData } from "./plain-data.js";
import { TlsFiles } from "./tls-files.js";

export type Section = "channels" | "clerks" | "raftPeers";
type EntryInput<S extends Section> = NonNullable<ConfigInput[S]>[string];

/** One entry of a section. */
export interface ConfigEntry<S extends Section> {
  /** As it was written, except how it is secured: whoever makes the thing adds presets and defaults. */
  readonly options: Omit<EntryInput<S>, "tls" | "insecure">;
  /** What the files of `tls` hold; null for plaintext. */
  readonly tls: TlsMaterial | null;
}

/** A valid configuration, by section and name. */
export interface Config {
  readonly channels: ReadonlyMap<string, ConfigEntry<"channels">>;
  readonly clerks: ReadonlyMap<string, ConfigEntry<"clerks">>;
  readonly raftPeers: ReadonlyMap<string, ConfigEntry<"raftPeers">>;
}

/** Puts the presets of channels under what was written: defaults, and rules across fields, hold for both together. */
export type PresetsBeneath = (section: Section, entry: Readonly<Record<string, unknown>>) => unknown;

/** A configuration as it was written, and where. */
export interface WrittenConfig {
  readonly data: unknown;
  /** What errors call it. */
  readonly where: string;
  /** Where relative paths begin. */
  readonly folder: string;
}

/**
 * Checks a whole configuration at once; reads the TLS files it names, and does no other I/O.
 *
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem
 */
export function parseConfig(
  { data: written, where, folder }: WrittenConfig,
  beneath: PresetsBeneath,
): Config {
  const files = new TlsFiles(folder);
  const schema = configSchema((tls) => files.problemsOf(tls));
  const { value, problems: unreadable } = plainData(written);
  const data = { value: withoutTemplates(value), problems: unreadable };
  const whole = withPresets(data.value, beneath);
  const result = schema.safeParse(whole, { reportInput: true });
  const issues = result.success
    ? []
    : describeIssues(result.error.issues, schema, whole, "the configuration");
  const problems = [...data.problems, ...issues];
  if (problems.length > 0) throw problemsError(where, problems);
  const { channels, clerks, raftPeers } = data.value as ConfigInput;
  return {
    channels: entriesOf(channels, files),
    clerks: entriesOf(clerks, files),
    raftPeers: entriesOf(raftPeers, files),
  };
}

function entriesOf<
  E extends { readonly tls?: TlsOptions | undefined; readonly insecure?: boolean | undefined },
>(
  written: Record<string, E> | undefined,
  files: TlsFiles,
): ReadonlyMap<string, { readonly options: Omit<E, "tls" | "insecure">; readonly tls: TlsMaterial | null }> {
  return new Map(
    Object.entries(written ?? {}).map(([name, { tls, insecure: _, ...options }]) => [
      name,
      { options, tls: tls === undefined ? null : files.materialOf(tls) },
    ]),
  );
}

function withPresets(data: unknown, beneath: PresetsBeneath): unknown {
  if (!isRecord(data)) return data;
  const whole = { ...data };
  for (const section of ["channels", "clerks", "raftPeers"] as const) {
    const entries = data[section];
    if (!isRecord(entries)) continue;
    const merged = Object.entries(entries).map(([name, entry]) => [
      name,
      isRecord(entry) ? beneath(section, entry) : entry,
    ]);
    whole[section] = Object.fromEntries(merged);
  }
  return whole;
}

/** Top-level keys that begin with `x-` hold what anchors and merges take from elsewhere in the file. */
function withoutTemplates(data: unknown): unknown {
  if (!isRecord(data)) return data;
  return Object.fromEntries(Object.entries(data).filter(([key]) => !key.startsWith("x-")));
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
