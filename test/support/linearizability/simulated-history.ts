import type { Random } from "../../../src/core/index.js";
import type { Operation } from "./operation.js";

/** The shape of a generated history. */
export interface SimulationOptions {
  readonly operations: number;
  readonly sessions: number;
  readonly keys: number;
  /** Share of writes whose outcome stays unknown: half of them never run, the others run late. */
  readonly unknownRatio: number;
  readonly getRatio: number;
  readonly putRatio: number;
}

interface Draft {
  session: number;
  kind: Operation["kind"];
  key: string;
  value: string;
  result: string | undefined;
  invokedMs: number;
  returnedMs: number | null;
}

/** A valid history: every operation runs at one instant of its interval on real registers; each write has its own token. */
export function simulatedHistory(random: Random, options: SimulationOptions): Operation[] {
  const effects: { readonly atMs: number; readonly draft: Draft; readonly runs: boolean }[] = [];
  const freeAtMs = Array.from({ length: options.sessions }, () => random.next());
  for (let index = 0; index < options.operations; index++) {
    const session = freeAtMs.indexOf(Math.min(...freeAtMs));
    const invokedMs = freeAtMs[session]!;
    const returnedMs = invokedMs + 0.5 + random.next() * 4;
    const isUnknown = random.next() < options.unknownRatio;
    const late = isUnknown ? random.next() * 30 : 0;
    const draft = newDraft(random, options, { index, session, invokedMs, returnedMs });
    if (isUnknown) draft.returnedMs = null;
    const atMs = invokedMs + (returnedMs - invokedMs) * random.next() + late;
    effects.push({ atMs, draft, runs: !isUnknown || random.next() < 0.5 });
    freeAtMs[session] = returnedMs + 0.01 + random.next();
  }
  run(effects);
  return effects.map(({ draft }) => draft);
}

function newDraft(
  random: Random,
  { keys, getRatio, putRatio }: SimulationOptions,
  at: { index: number; session: number; invokedMs: number; returnedMs: number },
): Draft {
  const roll = random.next();
  const kind = roll < getRatio ? "get" : roll < getRatio + putRatio ? "put" : "append";
  const key = `k${Math.floor(random.next() * keys)}`;
  const { index, ...rest } = at;
  return { ...rest, kind, key, value: kind === "get" ? "" : `<${at.session}.${index}>`, result: undefined };
}

function run(
  effects: readonly { readonly atMs: number; readonly draft: Draft; readonly runs: boolean }[],
): void {
  const values = new Map<string, string>();
  for (const { draft, runs } of [...effects].sort((a, b) => a.atMs - b.atMs)) {
    if (!runs) continue;
    const before = values.get(draft.key);
    if (draft.kind === "get") draft.result = before;
    else values.set(draft.key, draft.kind === "put" ? draft.value : (before ?? "") + draft.value);
  }
}
