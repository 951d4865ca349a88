import { groupByKey } from "./group-by-key.js";
import { compareInstants, invocationOf, type Operation, returnOf } from "./operation.js";
import { readTokens } from "./read-tokens.js";

/** A token that is not where it should be; `session` is null when nobody wrote it. */
export interface AuditedToken {
  readonly key: string;
  readonly token: string;
  readonly session: number | null;
}

/** What the final values of append-only keys say about the appends; every list is empty after a clean run. */
export interface AppendAudit {
  /** Acknowledged, but missing. */
  readonly lost: readonly AuditedToken[];
  /** Present more than once. */
  readonly duplicated: readonly (AuditedToken & { readonly times: number })[];
  /** Of an operation that provably did not run, but present. */
  readonly phantom: readonly AuditedToken[];
  /** Stands before a token that the same session appended, acknowledged, earlier. */
  readonly reordered: readonly (AuditedToken & { readonly earlier: string })[];
  /** Text that no operation wrote. */
  readonly foreign: readonly AuditedToken[];
  /** Keys that could not be audited, and why. A key with puts is none of this audit's business and is not named. */
  readonly unaudited: readonly { readonly key: string; readonly reason: string }[];
}

/**
 * Counts the tokens of every key that was only appended to. `notRun` are the operations that provably did not run
 * (`HistoryRecorder.notRun`); `finalValues` hold undefined for a key that is missing. Tokens of one key must be unique and
 * none may begin another, or the text could be read in two ways; such a key is reported as unaudited.
 */
export function auditAppends(
  history: readonly Operation[],
  finalValues: ReadonlyMap<string, string | undefined>,
  notRun: readonly Operation[] = [],
): AppendAudit {
  const audits: AppendAudit[] = [];
  const dropped = new Set(notRun);
  for (const [key, operations] of groupByKey([...history, ...notRun])) {
    if (operations.some(({ kind }) => kind === "put")) continue;
    const appends = operations.filter(({ kind }) => kind === "append");
    if (appends.length === 0) continue;
    const reason = finalValues.has(key) ? ambiguity(appends) : "no final value given";
    if (reason !== undefined) audits.push({ ...nothing, unaudited: [{ key, reason }] });
    else audits.push(auditKey(key, appends, dropped, finalValues.get(key) ?? ""));
  }
  const names = Object.keys(nothing) as (keyof AppendAudit)[];
  return Object.fromEntries(
    names.map((name) => [name, audits.flatMap((audit) => [...audit[name]])]),
  ) as never;
}

const nothing: AppendAudit = {
  lost: [],
  duplicated: [],
  phantom: [],
  reordered: [],
  foreign: [],
  unaudited: [],
};

function ambiguity(appends: readonly Operation[]): string | undefined {
  const tokens = appends.map(({ value }) => value).sort();
  for (const [index, token] of tokens.entries()) {
    if (token === "") return "an append of nothing leaves no trace";
    const next = tokens[index + 1];
    if (next === token) return `token ${JSON.stringify(token)} was appended twice`;
    if (next?.startsWith(token)) return `token ${JSON.stringify(token)} begins ${JSON.stringify(next)}`;
  }
  return undefined;
}

function auditKey(
  key: string,
  appends: readonly Operation[],
  notRun: ReadonlySet<Operation>,
  text: string,
): AppendAudit {
  const { positions, foreign } = readTokens(text, new Set(appends.map(({ value }) => value)));
  const timesOf = ({ value }: Operation) => positions.get(value)?.length ?? 0;
  const name = ({ value, session }: Operation) => ({ key, token: value, session });
  const ran = appends.filter((append) => !notRun.has(append));
  return {
    lost: ran.filter((append) => append.returnedMs !== null && timesOf(append) === 0).map(name),
    duplicated: appends
      .filter((append) => timesOf(append) > 1)
      .map((append) => ({ ...name(append), times: timesOf(append) })),
    phantom: appends.filter((append) => notRun.has(append) && timesOf(append) > 0).map(name),
    reordered: [...bySession(ran).values()].flatMap((session) =>
      reorderedIn(session, (append) => positions.get(append.value)?.[0]).map(([append, earlier]) => ({
        ...name(append),
        earlier: earlier.value,
      })),
    ),
    foreign: foreign.map((token) => ({ key, token, session: null })),
    unaudited: [],
  };
}

function bySession(appends: readonly Operation[]): ReadonlyMap<number, readonly Operation[]> {
  const sessions = new Map<number, Operation[]>();
  for (const append of appends)
    sessions.set(append.session, [...(sessions.get(append.session) ?? []), append]);
  return sessions;
}

/** Pairs of one session where the later append stands before one that was acknowledged before it started. */
function reorderedIn(
  appends: readonly Operation[],
  positionOf: (append: Operation) => number | undefined,
): readonly (readonly [later: Operation, earlier: Operation])[] {
  const placed = appends.filter((append) => positionOf(append) !== undefined);
  const byStart = [...placed].sort((a, b) => compareInstants(invocationOf(a), invocationOf(b)));
  const byEnd = placed
    .filter(({ returnedMs }) => returnedMs !== null)
    .sort((a, b) => compareInstants(returnOf(a)!, returnOf(b)!));
  const pairs: (readonly [Operation, Operation])[] = [];
  let last: Operation | undefined;
  let ended = 0;
  for (const append of byStart) {
    for (let next = byEnd[ended]; next !== undefined; next = byEnd[ended]) {
      if (compareInstants(returnOf(next)!, invocationOf(append)) >= 0) break;
      if (last === undefined || positionOf(next)! > positionOf(last)!) last = next;
      ended += 1;
    }
    if (last !== undefined && positionOf(append)! < positionOf(last)!) pairs.push([append, last]);
  }
  return pairs;
}
