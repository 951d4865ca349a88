import { describe, expect, it } from "vitest";
import { auditAppends, checkLinearizable, HistoryRecorder } from "./linearizability/index.js";
import { ManualClock } from "./manual-clock.js";

const clean = { lost: [], duplicated: [], phantom: [], reordered: [], foreign: [], unaudited: [] };

function appended(...tokens: readonly string[]): HistoryRecorder {
  const recorder = new HistoryRecorder(new ManualClock());
  for (const token of tokens) recorder.ok(recorder.begin(1, "append", "k", token));
  return recorder;
}

function audit(recorder: HistoryRecorder, value: string | undefined) {
  return auditAppends(recorder.history(), new Map([["k", value]]), recorder.notRun());
}

describe("auditAppends", () => {
  it("finds nothing when every token stands once and in order", () => {
    const recorder = appended("a;", "b;");
    recorder.begin(2, "append", "k", "maybe;");

    expect(audit(recorder, "a;b;")).toEqual(clean);
    expect(audit(recorder, "a;maybe;b;")).toEqual(clean);
  });

  it("lists acknowledged tokens that are missing, also when the whole key is", () => {
    expect(audit(appended("a;", "b;"), "b;")).toEqual({
      ...clean,
      lost: [{ key: "k", token: "a;", session: 1 }],
    });
    expect(audit(appended("a;", "b;"), undefined).lost).toHaveLength(2);
  });

  it("lists tokens that stand more than once, with the number of times", () => {
    const duplicated = [{ key: "k", token: "a;", session: 1, times: 3 }];

    expect(audit(appended("a;", "b;"), "a;a;b;a;")).toEqual({ ...clean, duplicated });
  });

  it("lists tokens of operations that provably did not run", () => {
    const recorder = appended("a;");
    recorder.drop(recorder.begin(2, "append", "k", "never;"));

    expect(audit(recorder, "a;never;").phantom).toEqual([{ key: "k", token: "never;", session: 2 }]);
    expect(audit(recorder, "a;")).toEqual(clean);
  });

  it("lists tokens that stand before an earlier one of their session, but not of overlapping appends", () => {
    const recorder = appended("a;", "b;");
    const [x, y] = [recorder.begin(2, "append", "k", "x;"), recorder.begin(2, "append", "k", "y;")];
    recorder.ok(x);
    recorder.ok(y);

    const { reordered, ...rest } = audit(recorder, "y;x;b;a;");

    expect(reordered).toEqual([{ key: "k", token: "b;", session: 1, earlier: "a;" }]);
    expect(rest).toEqual({ ...clean, reordered: undefined });
  });

  it("lists text that nobody wrote", () => {
    expect(audit(appended("a;", "b;"), "?a;??b;").foreign.map(({ token }) => token)).toEqual(["?", "??"]);
  });

  it.each([
    ["tokens that are not unique", ["a", "a"], "appended twice"],
    ["a token that begins another", ["a1", "a10"], "begins"],
    ["an empty token", ["", "a"], "no trace"],
  ])("says that it cannot audit %s", (_, tokens, reason) => {
    expect(audit(appended(...tokens), "").unaudited).toEqual([
      { key: "k", reason: expect.stringContaining(reason) },
    ]);
  });

  it("leaves keys with puts alone and names keys without a final value", () => {
    const recorder = appended("a;");
    recorder.ok(recorder.begin(1, "put", "other", "x"));
    recorder.ok(recorder.begin(1, "append", "other", "y"));

    expect(auditAppends(recorder.history(), new Map())).toEqual({
      ...clean,
      unaudited: [{ key: "k", reason: "no final value given" }],
    });
  });
});

describe("HistoryRecorder", () => {
  const write = { session: 1, kind: "put", key: "k", value: "a" } as const;

  it("notes results and instants in the order they were seen, though the clock stands still", async () => {
    const recorder = new HistoryRecorder(new ManualClock());
    await recorder.run(
      write,
      async () => undefined,
      () => "unknown",
    );

    const result = await recorder.run(
      { session: 2, kind: "get", key: "k" },
      async () => "stale",
      () => "unknown",
    );

    expect(result).toBe("stale");
    expect(recorder.history().map((one) => [one.invokedOrder, one.returnedOrder, one.result])).toEqual([
      [0, 1, undefined],
      [2, 3, "stale"],
    ]);
    expect(checkLinearizable(recorder.history(), { clock: new ManualClock() }).verdict).toBe(
      "not-linearizable",
    );
  });

  it("keeps an unknown outcome open, takes out what did not run, and throws the failure on", async () => {
    const recorder = new HistoryRecorder(new ManualClock());
    const failing = (failure: "unknown" | "drop") =>
      recorder.run(
        write,
        () => Promise.reject(new Error(failure)),
        () => failure,
      );

    await expect(failing("unknown")).rejects.toThrow("unknown");
    await expect(failing("drop")).rejects.toThrow("drop");

    expect(recorder.history()).toMatchObject([{ returnedMs: null }]);
    expect(recorder.notRun()).toHaveLength(1);
  });

  it("refuses to settle an operation twice", () => {
    const recorder = new HistoryRecorder(new ManualClock());
    const open = recorder.begin(1, "put", "k", "a");
    recorder.unknown(open);

    expect(() => recorder.ok(open)).toThrow('the put of key "k" was settled twice');
  });
});
