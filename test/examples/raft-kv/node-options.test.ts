import { expect, it } from "vitest";
import { parseNodeOptions } from "../../../examples/raft-kv/node-options.js";
import { UsageError } from "../../../examples/shared/flags.js";

const NEEDED = ["--config", "c.yaml", "--me", "1", "--listen", "127.0.0.1:0", "--data", "d"];

it("reads the command line, with eraft's times when none are given", () => {
  expect(parseNodeOptions(NEEDED)).toEqual({
    configPath: "c.yaml",
    me: 1,
    listen: "127.0.0.1:0",
    dataPath: "d",
    timing: { heartbeatMs: 125, electionMinMs: 1_000, electionMaxMs: 2_000 },
  });
});

it("takes other times", () => {
  const times = ["--heartbeat-ms", "20", "--election-min-ms=100", "--election-max-ms", "200"];

  expect(parseNodeOptions([...NEEDED, ...times])?.timing).toEqual({
    ...{ heartbeatMs: 20, electionMinMs: 100, electionMaxMs: 200 },
  });
});

it("only helps when asked to", () => {
  expect(parseNodeOptions(["--help"])).toBeNull();
});

const wrong: readonly (readonly [readonly string[], string])[] = [
  [NEEDED.slice(2), "--config is missing; allowed: a file"],
  [NEEDED.slice(0, -2), "--data is missing; allowed: a folder"],
  [[...NEEDED, "--me", "-1"], "--me"],
  [
    [...NEEDED, "--me", "x"],
    '--me is "x"; allowed: the node\'s position in the list of addresses, 0 or more',
  ],
  [[...NEEDED, "--listen", "5000"], '--listen is "5000"; allowed: HOST:PORT with a port from 0 to 65535'],
  [[...NEEDED, "--listen", "h:65536"], '--listen is "h:65536"'],
  [[...NEEDED, "--listen", "::1:5000"], '--listen is "::1:5000"'],
  [[...NEEDED, "--heartbeat-ms", "1.5"], '--heartbeat-ms is "1.5"; allowed: whole milliseconds'],
  [[...NEEDED, "--heartbeat-ms", "0"], "heartbeatMs is 0; allowed: a number above 0"],
  [[...NEEDED, "--heartbeat-ms", "1000"], "electionMinMs is 1000; allowed: more than heartbeatMs (1000)"],
  [[...NEEDED, "--election-max-ms", "999"], "electionMaxMs is 999; allowed: electionMinMs (1000) or more"],
  [[...NEEDED, "--hartbeat-ms", "5"], "Allowed flags: --config, --me"],
  [[...NEEDED, "extra"], "extra"],
];

for (const [args, says] of wrong) {
  it(`refuses "${args.slice(-2).join(" ")}" saying ${says}`, () => {
    expect(() => parseNodeOptions(args)).toThrow(UsageError);
    expect(() => parseNodeOptions(args)).toThrow(says);
  });
}
