import { expect, it } from "vitest";
import { Load } from "../../examples/raft-kv/demo/load.js";
import { OperationSource } from "../../examples/raft-kv/demo/operations.js";
import { Tally } from "../../examples/raft-kv/demo/tally.js";
import { verify } from "../../examples/raft-kv/demo/verify.js";
import { readWorkload } from "../../examples/raft-kv/demo/workload.js";
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

async function judge(store: OwnStore, reader: Pick<OwnStore, "get"> = store) {
  const clock = { now: () => performance.now() };
  const history = new HistoryRecorder(clock);
  const tally = new Tally();
  const sources = [1, 2].map(
    (session) => new OperationSource(workload, new SeededRandom(session), session, 2),
  );
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

it("decides nothing about losses when a key cannot be read at the end", async () => {
  const details = "no leader was found in 15000 ms";
  const failure = new ResilienceError({ reason: "NOT_LEADER", code: 14, details });

  const found = await judge(new OwnStore(), { get: () => Promise.reject(failure) });

  expect(found).toMatchObject({ lost: null, duplicated: null, linearizable: true });
  expect(found.findings).toEqual([expect.stringContaining(details)]);
});
