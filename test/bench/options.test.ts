import { expect, it } from "vitest";
import { FAULT_NAMES } from "../../bench/faults/fault-kinds.js";
import { BadFlag, parseOptions, USAGE } from "../../bench/options.js";

it("measures calls, and not the Clerk, unless asked to", () => {
  const parts = ["fake", "sockets", "streams", "memory", "outage"];

  expect(parseOptions([])).toMatchObject({ parts, rounds: 15, clerk: undefined });
  expect(parts.filter((part) => !USAGE.includes(`\n                      ${part} `))).toEqual([]);
});

it("measures one part, and only the stacks asked for, when asked to", () => {
  const options = parseOptions(["--only", "outage", "--stacks", "holdfast,bare"]);

  expect(options?.parts).toEqual(["outage"]);
  expect(options?.stacks.map(({ name }) => name)).toEqual(["holdfast", "bare"]);
});

it.each([
  ["--pool", ["picks", "update", "slow", "limit", "window"]],
  ["--faults", ["faults"]],
  ["--consul", ["changes", "away"]],
])("measures nothing else with %s", (flag, parts) => {
  expect(parseOptions([flag])?.parts).toEqual(parts);
});

it("measures one part of the pool or of Consul, or one fault, when asked to", () => {
  expect(parseOptions(["--pool", "--only", "limit"])?.parts).toEqual(["limit"]);
  expect(parseOptions(["--consul", "--only", "away"])?.parts).toEqual(["away"]);
  expect(parseOptions(["--faults", "--only", "frozen"])?.faults).toEqual(["frozen"]);
  expect(FAULT_NAMES.filter((name) => !USAGE.includes(name))).toEqual([]);
});

it("measures the Clerk as long and as often as asked", () => {
  const args = ["--clerk", "--seconds", "0", "--repeats", "3", "--workers", "64"];

  expect(parseOptions(args)?.clerk).toEqual({ seconds: 0, repeats: 3, workers: 64 });
  expect(parseOptions(["--clerk"])?.clerk).toEqual({ seconds: 5, repeats: 10, workers: 8 });
});

it.each([
  [["--workers", "8"], "--workers is not for runs without --clerk"],
  [["--clerk", "--rounds", "3"], "--rounds is not for --clerk"],
  [["--pool", "--stacks", "bare"], "--stacks is not for --pool"],
  [["--faults", "--workers", "8"], "--workers is not for runs without --clerk"],
  [["--consul", "--rounds", "3"], "--rounds is not for --consul"],
  [["--consul", "--only", "faults"], '--only is "faults"; allowed: changes, away'],
  [["--pool", "--faults"], "--pool and --faults are runs of their own; give one of them"],
  [["--pool", "--only", "fake"], '--only is "fake"; allowed: picks, update, slow, limit, window'],
  [["--only", "calls"], '--only is "calls"; allowed: fake, sockets, streams, memory, outage'],
  [["--clerk", "--workers", "0"], '--workers is "0"; allowed: a whole number from 1 to 64'],
  [["--clerk", "--repeats", "many"], '--repeats is "many"; allowed: a whole number from 0 to 100'],
])("refuses %s and says why", (args, message) => {
  expect(() => parseOptions(args)).toThrow(new BadFlag(message));
});
