import { expect, it } from "vitest";
import { parseOptions } from "../../examples/consul/options.js";
import { UsageError } from "../../examples/shared/flags.js";

it("runs 25 s when nothing is asked for", () => {
  expect(parseOptions([])).toEqual({ seconds: 25, isJson: false, isHelp: false });
});

it("takes length and output from the flags", () => {
  expect(parseOptions(["--seconds", "7.5", "--json"])).toEqual({ seconds: 7.5, isJson: true, isHelp: false });
});

it.each([
  [["--seconds", "4"], '--seconds is "4"; allowed is a number of seconds from 5 to 3600'],
  [["--consul"], "unknown flag --consul; allowed are --seconds, --json, --help"],
  [["--json=yes"], '--json takes no value, but got "yes"'],
])("refuses %j and says why", (args, message) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow(message);
});
