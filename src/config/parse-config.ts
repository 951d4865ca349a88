import { resolve } from "node:path";
import { describeIssues, isFilePath, problemsError, type TlsFileOptions } from "../core/index.js";
import { type ConfigInput, configSchema, type TlsFilesCheck } from "./config-options.js";
import { discoveryInFolder } from "./discovery-files.js";
import { plainData } from "./plain-data.js";

export type Section = "channels" | "clerks" | "raftPeers";
type EntryInput<S extends Section> = NonNullable<ConfigInput[S]>[string];

/** One entry of a section. */
export interface ConfigEntry<S extends Section> {
  /** As it was written, except how it is secured: whoever makes the thing adds presets and defaults. */
  readonly options: Omit<EntryInput<S>, "tls" | "insecure">;
  /** How it is secured, with the whole paths of files; null for plaintext. */
  readonly tls: TlsFileOptions | null;
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
 * Checks a whole configuration at once. Does no I/O but what `checkFiles` does.
 *
 * @param checkFiles says what is wrong with the files of a `tls`, whose paths are whole
 * @throws ResilienceError `CONFIG_INVALID` that lists every problem
 */
export function parseConfig(
  { data: written, where, folder }: WrittenConfig,
  beneath: PresetsBeneath,
  checkFiles: TlsFilesCheck,
): Config {
  const schema = configSchema((tls) => checkFiles(inFolder(tls, folder)));
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
    channels: entriesOf(channels, folder),
    clerks: entriesOf(clerks, folder),
    raftPeers: entriesOf(raftPeers, folder),
  };
}

function entriesOf<
  E extends { readonly tls?: TlsFileOptions | undefined; readonly insecure?: boolean | undefined },
>(
  written: Record<string, E> | undefined,
  folder: string,
): ReadonlyMap<
  string,
  { readonly options: Omit<E, "tls" | "insecure">; readonly tls: TlsFileOptions | null }
> {
  return new Map(
    Object.entries(written ?? {}).map(([name, { tls, insecure: _, ...options }]) => [
      name,
      {
        options: discoveryInFolder(options, (path) => resolve(folder, path)),
        tls: tls === undefined ? null : inFolder(tls, folder),
      },
    ]),
  );
}

/** The files are read again later, when the working directory may be another. */
function inFolder(tls: TlsFileOptions, folder: string): TlsFileOptions {
  const whole = (["caFile", "certFile", "keyFile"] as const).flatMap((key) => {
    const path: unknown = tls[key];
    return isFilePath(path) ? [[key, resolve(folder, path)] as const] : [];
  });
  return { ...tls, ...Object.fromEntries(whole) };
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
