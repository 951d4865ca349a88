import { afterEach, expect, it, vi } from "vitest";
import { parseOptions } from "../../examples/raft-kv/demo/options.js";
import { UsageError } from "../../examples/shared/flags.js";

afterEach(() => vi.unstubAllEnvs());

it("runs 30 s on three nodes with eight sessions and the checked-in workload when nothing is asked for", () => {
  expect(parseOptions([])).toEqual({
    seconds: 30,
    seed: 1,
    nodes: 3,
    sessions: 8,
    hasFaults: true,
    workloadFile: expect.stringMatching(/examples.raft-kv.workload\.json$/),
    isJson: false,
    isHelp: false,
  });
});

it("takes everything from the flags", () => {
  const sizes = ["--seconds", "7.5", "--seed=0", "--nodes", "5", "--sessions", "64"];

  const options = parseOptions([...sizes, "--no-faults", "--workload", "mine.json", "--json", "--help"]);

  expect(options).toEqual({
    seconds: 7.5,
    seed: 0,
    nodes: 5,
    sessions: 64,
    hasFaults: false,
    workloadFile: "mine.json",
    isJson: true,
    isHelp: true,
  });
});

it("knows -h as --help", () => {
  expect(parseOptions(["-h"]).isHelp).toBe(true);
});

it.each([
  ["--seconds", ["8"], { npm_config_seconds: "true" }],
  ["--no-faults", [], { npm_config_faults: "" }],
  ["--json", ["--seed", "2"], { npm_config_seed: "2", npm_config_json: "true" }],
])("tells how to reach the demo through npm when npm took %s", (flag, args, taken) => {
  const npm = { npm_lifecycle_event: "start", npm_lifecycle_script: "node scripts/start.mjs raft-kv" };
  for (const [name, value] of Object.entries({ ...npm, ...taken })) vi.stubEnv(name, value);

  expect(() => parseOptions(args)).toThrow(`with npm, put -- before the flags: npm start -- ${flag}`);
});

it.each([
  [["--seconds", "4"], '--seconds is "4"; allowed is a number of seconds from 5 to 600'],
  [["--seconds", "601"], '--seconds is "601"; allowed is'],
  [["--seconds"], "--seconds needs a value: a number of seconds from 5 to 600"],
  [["--seed", "-1"], '--seed is "-1"; allowed is a whole number from 0 to 2147483647'],
  [["--seed", "1.5"], '--seed is "1.5"; allowed is a whole number'],
  [["--nodes", "2"], '--nodes is "2"; allowed is a whole number from 3 to 7'],
  [["--nodes", "8"], '--nodes is "8"; allowed is'],
  [["--sessions=0"], '--sessions is "0"; allowed is a whole number from 1 to 64'],
  [["--sessions="], '--sessions is ""; allowed is'],
  [["--no-faults=yes"], '--no-faults takes no value, but got "yes"'],
  [["--workload"], "--workload needs a value: the path of a workload file"],
  [["--faults"], "unknown flag --faults; allowed are --seconds, --seed, --nodes, --sessions, --no-faults"],
  [["-s", "1"], "unknown flag -s; allowed are"],
  [["30"], 'unexpected argument "30"; allowed are'],
])("refuses %j and says why", (args, message) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow(message);
});
