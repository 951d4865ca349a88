import { parseArgs } from "node:util";

/** Wrong use of the command line or of a file it names; the message says what was given and what is allowed. */
export class UsageError extends Error {}

/** The flags of a program by name; one that takes a value says what that may be, for the error messages. `-h` is `--help`. */
export type Flags = Readonly<
  Record<string, { readonly type: "boolean" } | { readonly type: "string"; readonly allowed: string }>
>;

/** A number that a flag may take, and what messages call it. */
export interface NumberRange {
  readonly min: number;
  readonly max: number;
  readonly isWhole: boolean;
  /** For instance "a number of seconds". */
  readonly noun: string;
}

/** The values given, by name. */
export interface FlagValues {
  has(name: string): boolean;
  text(name: string): string | undefined;
}

/**
 * Reads a command line that consists of long flags alone. Under `npm run` it notices flags that npm took for its own.
 * @throws {UsageError} naming the flag, its value and what is allowed.
 */
export function readFlags(
  args: readonly string[],
  flags: Flags,
  env: Readonly<NodeJS.ProcessEnv> = process.env,
): FlagValues {
  refuseIfNpmTookFlags(args, flags, env);
  // Not strict, because parseArgs' own messages name neither the value nor what would be allowed.
  const long = args.map((arg) => (arg === "-h" && Object.hasOwn(flags, "help") ? "--help" : arg));
  const parsed = parseArgs({ args: long, options: { ...flags }, strict: false, tokens: true });
  const values = new Map<string, string | undefined>();
  for (const token of parsed.tokens) {
    if (token.kind === "positional")
      throw new UsageError(`unexpected argument "${token.value}"; allowed are ${allNames(flags)}`);
    if (token.kind !== "option") continue;
    checkFlag(flags, token.name, token.rawName, token.value);
    values.set(token.name, token.value);
  }
  return { has: (name) => values.has(name), text: (name) => values.get(name) };
}

/**
 * The number of one flag, or the default when it was not given.
 * @throws {UsageError} when it is no number or out of range.
 */
export function readNumber(values: FlagValues, name: string, range: NumberRange, byDefault: number): number {
  const text = values.text(name);
  if (text === undefined) return byDefault;
  const pattern = range.isWhole ? /^\d+$/ : /^\d+(\.\d+)?$/;
  const number = pattern.test(text) ? Number(text) : Number.NaN;
  if (number >= range.min && number <= range.max) return number;
  throw new UsageError(`--${name} is "${text}"; allowed is ${rangeText(range)}`);
}

export function rangeText({ noun, min, max }: NumberRange): string {
  return `${noun} from ${min} to ${max}`;
}

/** `npm start --seconds 8` runs the script with "8" or nothing at all, and the flag in the environment. */
function refuseIfNpmTookFlags(args: readonly string[], flags: Flags, env: Readonly<NodeJS.ProcessEnv>): void {
  if (!env["npm_lifecycle_script"]?.includes("scripts/start.mjs")) return;
  const taken = Object.keys(flags).find((name) => {
    const key = name.replace(/^no-/, "");
    const value = env[`npm_config_${key}`];
    const isGiven = args.some((arg) => arg === `--${name}` || arg.startsWith(`--${name}=`));
    return !isGiven && (key === name ? value : value === "" || value === "false");
  });
  if (taken === undefined) return;
  const command = env["npm_lifecycle_event"] === "start" ? "start" : `run ${env["npm_lifecycle_event"]}`;
  throw new UsageError(
    `npm took --${taken} for a flag of its own; with npm, put -- before the flags: npm ${command} -- --${taken} ...`,
  );
}

function checkFlag(flags: Flags, name: string, rawName: string, value: string | undefined): void {
  if (!rawName.startsWith("--") || !Object.hasOwn(flags, name)) {
    const given = value === undefined ? "" : ` with the value "${value}"`;
    throw new UsageError(`unknown flag ${rawName}${given}; allowed are ${allNames(flags)}`);
  }
  const flag = flags[name]!;
  if (flag.type === "boolean" && value !== undefined)
    throw new UsageError(`${rawName} takes no value, but got "${value}"`);
  if (flag.type === "string" && value === undefined)
    throw new UsageError(`${rawName} needs a value: ${flag.allowed}`);
}

function allNames(flags: Flags): string {
  return Object.keys(flags)
    .map((name) => `--${name}`)
    .join(", ");
}
