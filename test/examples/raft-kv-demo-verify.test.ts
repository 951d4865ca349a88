import { expect, it, vi } from "vitest";
import { Load } from "../../examples/raft-kv/demo/load.js";
import { OperationSource } from "../../examples/raft-kv/demo/operations.js";
import { Tally } from "../../examples/raft-kv/demo/tally.js";
import { verify } from "../../examples/raft-kv/demo/verify.js";
import { readWorkload, type Workload } from "../../examples/raft-kv/demo/workload.js";
import { ResilienceError } from "../../src/core/index.js";
import { HistoryRecorder } from "../support/linearizability/index.js";
import { SeededRandom } from "../support/seeded-random.js";

const OPERATIONS = 300;
const never = new AbortController().signal;
const workload = {
  ...readWorkload("examples/raft-kv/workload.json"),
  registerKeys: 2,
  logKeys: 2,
  thinkMs: 0,
};

/** A store in this process; what `harm` returns for the n-th append is appended instead. */
class OwnStore {
  readonly #values = new Map<string, string>();
  readonly #harm: (value: string, nth: number) => string;
  readonly enough: Promise<void>;
  #appends = 0;
  #calls = 0;
  #reached = () => {};

  constructor(harm: (value: string, nth: number) => string = (value) => value) {
    this.#harm = harm;
    this.enough = new Promise((resolve) => {
      this.#reached = resolve;
    });
  }

  async get(key: string): Promise<string | undefined> {
    this.#count();
    return this.#values.get(key);
  }

  async put(key: string, value: string): Promise<void> {
    this.#count();
    this.#values.set(key, value);
  }

  async append(key: string, value: string): Promise<void> {
    this.#count();
    this.#appends += 1;
    this.#values.set(key, `${this.#values.get(key) ?? ""}${this.#harm(value, this.#appends)}`);
  }

  #count(): void {
    this.#calls += 1;
    if (this.#calls === OPERATIONS) this.#reached();
  }
}

async function judge(
  store: OwnStore,
  reader: Pick<OwnStore, "get"> = store,
  shares: Partial<Workload["shares"]> = {},
) {
  const clock = { now: () => performance.now() };
  const history = new HistoryRecorder(clock);
  const tally = new Tally();
  const chosen = { ...workload, shares: { ...workload.shares, ...shares } };
  const sources = [1, 2].map((session) => new OperationSource(chosen, new SeededRandom(session), session, 2));
  const load = new Load({ clerk: store, history, tally, nowMs: clock.now, thinkMs: 0 }, sources);
  await store.enough;
  await load.finish();
  return { tally, ...(await verify(reader, history, [...load.keys], 2, never)) };
}

it("finds nothing wrong with a store that does what it says", async () => {
  const found = await judge(new OwnStore());

  expect(found).toMatchObject({ lost: 0, duplicated: 0, linearizable: true, findings: [] });
  expect(found.tally.acknowledged).toBeGreaterThanOrEqual(OPERATIONS);
});

it("finds an append that was acknowledged and is not there", async () => {
  const found = await judge(new OwnStore((value, nth) => (nth === 20 ? "" : value)));

  expect(found).toMatchObject({ lost: 1, duplicated: 0, linearizable: false });
  expect(found.findings.at(-1)).toMatch(/^"s\d-\d+;", which session \d appended to log-1-\d, is missing$/);
});

it("finds an append that was applied twice", async () => {
  const found = await judge(new OwnStore((value, nth) => (nth === 20 ? value + value : value)));

  expect(found).toMatchObject({ lost: 0, duplicated: 1, linearizable: false });
  expect(found.findings.at(-1)).toMatch(/is there 2 times$/);
});

const details = "no leader was found in 15000 ms";
const failure = new ResilienceError({ reason: "NOT_LEADER", code: 14, details });

it("decides nothing about losses when no key can be read at the end", async () => {
  const found = await judge(new OwnStore(), { get: () => Promise.reject(failure) });

  expect(found).toMatchObject({ lost: null, duplicated: null, phantom: null, linearizable: true });
  expect(found).toMatchObject({ unaudited: 2, unread: 4 });
  expect(found.findings).toEqual([`4 of 4 keys could not be read at the end: ${failure.message}`]);
});

it("keeps the losses it has found when another key cannot be read", async () => {
  const store = new OwnStore((value, nth) => (nth < 20 ? "" : value));
  const reader = {
    get: (key: string) => (key === "log-1-1" ? Promise.reject(failure) : store.get(key)),
  };

  const found = await judge(store, reader);

  expect(found.lost).toBeGreaterThan(0);
  expect(found).toMatchObject({ duplicated: 0, unaudited: 1, unread: 1 });
});

it("finds text that nobody appended", async () => {
  const found = await judge(new OwnStore((value, nth) => (nth === 20 ? `${value}x` : value)));

  expect(found).toMatchObject({ lost: 0, foreign: 1 });
  expect(found.findings.at(-1)).toMatch(/^"x", which nobody appended to log-1-\d, is there$/);
});

it("knows a workload without appends from one that lost none", async () => {
  const found = await judge(new OwnStore(), undefined, { append: 0 });

  expect(found).toMatchObject({ appends: 0, lost: 0, unaudited: 0, linearizable: true });
});

it("finds an append that was said not to have run", async () => {
  const history = new HistoryRecorder({ now: () => performance.now() });
  history.ok(history.begin(1, "append", "log", "a;"));
  history.drop(history.begin(1, "append", "log", "b;"));

  const found = await verify({ get: async () => "a;b;" }, history, ["log"], 1, never);

  expect(found).toMatchObject({ lost: 0, phantom: 1, foreign: 0 });
});

it("finds appends of a session in the wrong order", async () => {
  const history = new HistoryRecorder({ now: () => performance.now() });
  for (const token of ["a;", "b;"]) history.ok(history.begin(1, "append", "log", token));

  const found = await verify({ get: async () => "b;a;" }, history, ["log"], 1, never);

  expect(found).toMatchObject({ lost: 0, reordered: 1, linearizable: false });
});

it("has decided nothing when the check runs out of time", async () => {
  const history = new HistoryRecorder({ now: () => performance.now() });
  history.ok(history.begin(1, "append", "log", "a;"));

  const found = await verify({ get: async () => "a;" }, history, ["log"], 1, never, { maxMs: 0 });

  expect(found).toMatchObject({ lost: 0, linearizable: null });
  expect(found.findings).toEqual([expect.stringContaining("maxMs")]);
});

it("ends the check at once when it is stopped", async () => {
  const history = new HistoryRecorder({ now: () => performance.now() });
  const stop = new AbortController();
  // Sixty appends that may stand in any order before a read that none of them explains: more than any check can try.
  for (let session = 1; session <= 60; session += 1) history.begin(session, "append", "log", `${session};`);
  history.ok(history.begin(0, "get", "log"), "none of these");

  const reads = { get: async () => void setTimeout(() => stop.abort("Ctrl-C"), 50) as undefined };
  const checking = verify(reads, history, ["log"], 1, stop.signal);

  await expect(checking).rejects.toBe("Ctrl-C");
});

it("wakes resting sessions when the load ends", async () => {
  const history = new HistoryRecorder({ now: () => performance.now() });
  const tally = new Tally();
  const source = new OperationSource(workload, new SeededRandom(1), 1, 1);
  const parts = { clerk: new OwnStore(), history, tally, nowMs: () => 0, thinkMs: 60_000 };
  const load = new Load(parts, [source]);
  await vi.waitFor(() => expect(tally.acknowledged).toBe(1));

  await load.finish();

  expect(tally.operations).toBe(1);
});
