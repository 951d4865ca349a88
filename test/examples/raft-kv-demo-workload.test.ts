import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { type Operation, OperationSource } from "../../examples/raft-kv/demo/operations.js";
import { parseWorkload, readWorkload, type Workload } from "../../examples/raft-kv/demo/workload.js";
import { UsageError } from "../../examples/shared/flags.js";
import { SeededRandom } from "../support/seeded-random.js";

const FILE = "examples/raft-kv/workload.json";
const checkedIn = readFileSync(FILE, "utf8");

function problemsOf(text: string): string[] {
  try {
    parseWorkload(text, "w.json");
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message.split("\n").slice(1);
  }
  throw new Error("it was accepted");
}

function operations(workload: Workload, seed: number, count: number): Operation[] {
  const source = new OperationSource(workload, new SeededRandom(seed), 3, 8);
  return Array.from({ length: count }, () => source.next());
}

it("takes the checked-in workload", () => {
  expect(readWorkload(FILE).shares).toEqual({ get: 50, put: 25, append: 25 });
});

it("allows comments", () => {
  expect(parseWorkload(`# half reads\n${checkedIn}`, "w.json").registerKeys).toBe(12);
});

it.each([
  ["a missing comma", checkedIn.replace("25,", "25"), /^ {2}w\.json:2:\d+: .*/],
  ["a missing end", checkedIn.trimEnd().slice(0, -1), /^ {2}w\.json:[78]:\d+: .*/],
  ["a word without quotes", checkedIn.replace('"thinkMs": 5', '"thinkMs": soon'), /w\.json:7:14: .*soon/],
  ["a key given twice", checkedIn.replace('"logKeys"', '"registerKeys"'), /w\.json:4:3: .*unique/],
])("gives line, column and reason of %s", (_name, text, problem) => {
  expect(problemsOf(text)[0]).toMatch(problem);
});

it.each([
  [
    "a share below 0",
    ['"put": 25', '"put": -1'],
    "w.json:2:33: shares.put is -1; allowed: a whole number from 0 to 1000",
  ],
  [
    "a share in words",
    ['"put": 25', '"put": "few"'],
    'w.json:2:33: shares.put is "few"; allowed: a whole number',
  ],
  [
    "nothing to do",
    ['"get": 50, "put": 25, "append": 25', '"get": 0, "put": 0, "append": 0'],
    'w.json:2:13: shares is {"get":0,"put":0,"append":0}; allowed: at least one share above 0',
  ],
  [
    "a share too many",
    ['"get": 50', '"get": 50, "scan": 1'],
    "w.json:2:34: unknown key shares.scan; allowed: get, put, append",
  ],
  ["half a key", ['"logKeys": 12', '"logKeys": 0.5'], "w.json:4:14: logKeys is 0.5; allowed: a whole number"],
  ["a missing key", ['"logKeys": 12,', ""], "w.json:1:1: logKeys is missing; allowed: a whole number from 1"],
  ["a missing share", [', "append": 25', ""], "w.json:2:13: shares.append is missing; allowed: a whole"],
  [
    "an unknown key",
    ['"logKeys"', '"logs": 1, "logKeys"'],
    "w.json:4:11: unknown key logs; allowed: shares, ",
  ],
  [
    "values that would not stay small",
    ['"valueBytes": 48', '"valueBytes": 65537'],
    "w.json:6:17: valueBytes is 65537",
  ],
])("gives line, column, value and what is allowed for %s", (_name, [from, to], problem) => {
  const text = checkedIn.replace(from!, to!);
  expect(text).not.toBe(checkedIn);

  expect(problemsOf(text)).toEqual([expect.stringContaining(problem)]);
});

it("tells every problem at once", () => {
  const text = checkedIn.replace('"get": 50', '"get": -1').replace('"thinkMs": 5', '"thinkMs": -5');

  expect(problemsOf(text)).toHaveLength(2);
});

it.each(["", "null", "[]", "7"])("refuses %j, which is no workload at all", (text) => {
  expect(problemsOf(text)).toEqual([
    expect.stringMatching(/w\.json:1:1: the workload is .*; allowed: an object/),
  ]);
});

const bomb = '{"a": &a [1,1], "b": &b [*a,*a], "c": [*b,*b]}';
const long = "k".repeat(5_000);

it.each([
  ["an alias", '{"shares": &s {"get": 1}, "logKeys": *s}', /w\.json:1:38: the alias \*s is not allowed$/],
  ["an alias of nothing", '{\n"logKeys": *none}', /w\.json:2:12: the alias \*none is not allowed$/],
  ["an alias bomb", bomb, /w\.json:1:26: the alias \*a is not allowed$/],
  ["brackets without end", "[".repeat(30_000), /w\.json:1:\d+: nested more than 8 levels deep$/],
  ["lists in lists", `${"- ".repeat(30_000)}x`, /w\.json:1:\d+: nested more than 8 levels deep$/],
  ["questions in questions", "? ".repeat(30_000), /w\.json:1:\d+: nested more than 8 levels deep$/],
  [
    "ten levels",
    `{"shares": ${"[".repeat(10)}1${"]".repeat(10)}}`,
    /w\.json:1:18: nested more than 8 levels/,
  ],
  ["a file without end", " ".repeat(70_000), /w\.json:1:1: the file is longer than the 65536 bytes allowed$/],
  ["a long value", `{"logKeys": "${long}"}`, /logKeys is "k{59}\.\.\.; allowed: a whole number/],
  ["a long name", `{"${long}": 1}`, /unknown key k{60}\.\.\.; allowed: shares/],
  ["an escape code", '{"a\\u001b[31m": 1}', /unknown key a\\u001b\[31m; allowed/],
])("refuses %s with place and reason, in a few short lines", (_name, text, problem) => {
  const problems = problemsOf(text);

  expect(problems.join("\n")).toMatch(new RegExp(problem.source, "m"));
  expect(problems.length).toBeLessThanOrEqual(6);
  expect(Math.max(...problems.map((line) => line.length))).toBeLessThan(250);
});

it("tells the first five problems and how many more there are", () => {
  const keys = Array.from({ length: 100 }, (_, index) => `"key-${index}": 1`);

  const problems = problemsOf(checkedIn.replace('"thinkMs": 5', `"thinkMs": 5, ${keys.join()}`));

  expect(problems).toHaveLength(6);
  expect(problems.at(-1)).toBe("  and 95 more");
});

it.skipIf(process.platform === "win32")("reads no more of a device than a workload can be long", () => {
  expect(() => readWorkload("/dev/zero")).toThrow(/\/dev\/zero:1:1: the file is longer than/);
});

it("names a file that cannot be read", () => {
  expect(() => readWorkload("no/such/file.json")).toThrow(/cannot be read: no\/such\/file\.json: ENOENT/);
});

it("calls the same operations for the same seed and others for another", () => {
  const workload = readWorkload(FILE);

  expect(operations(workload, 7, 500)).toEqual(operations(workload, 7, 500));
  expect(operations(workload, 7, 500)).not.toEqual(operations(workload, 8, 500));
});

it("chooses by the shares, appends to logs alone and puts to registers alone", () => {
  const all = operations(readWorkload(FILE), 1, 4_000);

  const share = (kind: string) => all.filter((each) => each.kind === kind).length / all.length;
  expect([share("get"), share("put"), share("append")].map((each) => Math.round(each * 20) / 20)).toEqual([
    0.5, 0.25, 0.25,
  ]);
  expect(all.filter((each) => each.kind === "append" && !each.key.startsWith("log-"))).toEqual([]);
  expect(all.filter((each) => each.kind === "put" && !each.key.startsWith("register-"))).toEqual([]);
  expect(all.some((each) => each.kind === "get" && each.key.startsWith("log-"))).toBe(true);
});

it("writes no value twice, gives puts the length asked for and keeps appends short", () => {
  const all = operations(readWorkload(FILE), 1, 4_000);

  const values = all.flatMap((each) => (each.kind === "get" ? [] : [each.value]));
  expect(new Set(values).size).toBe(values.length);
  expect(new Set(all.flatMap((each) => (each.kind === "put" ? [each.value.length] : [])))).toEqual(
    new Set([48]),
  );
  expect(all.find((each) => each.kind === "append")).toMatchObject({
    value: expect.stringMatching(/^s3-\d+;$/),
  });
});

it("moves on to a fresh set of keys before histories grow long", () => {
  const all = operations({ ...readWorkload(FILE), operationsPerKey: 10 }, 1, 90);

  // 24 keys with 10 operations each, shared by 8 sessions: 30 operations per set and session.
  const setOf = (operation: Operation) => operation.key.split("-")[1];
  expect([all[28], all[29], all[59], all[88]].map((each) => setOf(each!))).toEqual(["1", "2", "3", "3"]);
});
