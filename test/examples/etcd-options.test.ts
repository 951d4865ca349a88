import { expect, it } from "vitest";
import { parseOptions } from "../../examples/etcd/options.js";
import { UsageError } from "../../examples/shared/flags.js";

it("runs 20 s on whatever servers there are when nothing is asked for", () => {
  expect(parseOptions([])).toEqual({ servers: "auto", seconds: 20, isJson: false, isHelp: false });
});

it("takes servers, length and output from the flags", () => {
  const options = parseOptions(["--own", "--seconds", "7.5", "--json"]);

  expect(options).toEqual({ servers: "own", seconds: 7.5, isJson: true, isHelp: false });
});

it.each([
  [["--seconds", "4"], '--seconds is "4"; allowed is a number of seconds from 5 to 3600'],
  [["--seconds", "3601"], '--seconds is "3601"; allowed is a number of seconds from 5 to 3600'],
  [["--seconds", "-1"], '--seconds is "-1"; allowed is'],
  [["--seconds=soon"], '--seconds is "soon"; allowed is'],
  [["--seconds="], '--seconds is ""; allowed is'],
  [["--seconds"], "--seconds needs a value: a number of seconds from 5 to 3600"],
  [
    ["--sekonds=9"],
    'unknown flag --sekonds with the value "9"; allowed are --etcd, --own, --seconds, --json, --help',
  ],
  [["-j"], "unknown flag -j; allowed are"],
  [["--json=yes"], '--json takes no value, but got "yes"'],
  [["20"], 'unexpected argument "20"; allowed are'],
  [["--etcd", "--own"], "--etcd and --own exclude each other"],
])("refuses %j and says why", (args, message) => {
  expect(() => parseOptions(args)).toThrow(UsageError);
  expect(() => parseOptions(args)).toThrow(message);
});
