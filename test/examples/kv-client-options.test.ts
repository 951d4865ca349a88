import { describe, expect, it } from "vitest";
import { HELP, parseOptions } from "../../examples/kv-client/options.js";
import { UsageError } from "../../examples/shared/flags.js";

const servers = ["--servers", "127.0.0.1:5001,127.0.0.1:5002"];

describe("the command line of examples/kv-client", () => {
  it.each([
    [["get", "k"], { name: "get", key: "k" }],
    [["put", "k", "v"], { name: "put", key: "k", value: "v" }],
    [["append", "k", ""], { name: "append", key: "k", value: "" }],
    [["status"], { name: "status" }],
  ])("takes %j", (args, command) => {
    expect(parseOptions([...servers, ...args])).toEqual({
      isHelp: false,
      servers: ["127.0.0.1:5001", "127.0.0.1:5002"],
      timeoutMs: 10_000,
      command,
    });
  });

  it("takes flags after the command too, and spaces around commas", () => {
    const request = parseOptions(["get", "k", "--servers=a:1, b:2", "--timeout-ms=250"]);

    expect(request).toMatchObject({ servers: ["a:1", "b:2"], timeoutMs: 250 });
  });

  it("takes a value that starts with a dash after --", () => {
    expect(parseOptions([...servers, "put", "--", "--k", "-5"])).toMatchObject({
      command: { name: "put", key: "--k", value: "-5" },
    });
  });

  it("explains itself without servers and without a command", () => {
    expect(parseOptions(["--help"])).toEqual({ isHelp: true });
    for (const word of [
      "get KEY",
      "put KEY VALUE",
      "append KEY VALUE",
      "status",
      "--servers",
      "--timeout-ms",
    ])
      expect(HELP).toContain(word);
  });

  it.each([
    [[], "--servers is missing; allowed is host:port, or several with commas between"],
    [["get", "k"], "--servers is missing"],
    [["--servers"], "--servers needs a value: host:port, or several with commas between"],
    [["--servers", "", "status"], '--servers is ""; allowed is host:port'],
    [["--servers", ",", "status"], '--servers is ","; allowed is'],
    [["--servers", "a:1,,b:2", "status"], '--servers is "a:1,,b:2"; allowed is'],
    [
      [...servers, "--timeout-ms", "0", "status"],
      '--timeout-ms is "0"; allowed is a whole number of ms from 1',
    ],
    [[...servers, "--timeout-ms", "1.5", "status"], '--timeout-ms is "1.5"; allowed is'],
    [[...servers, "--timeout-ms", "soon", "status"], '--timeout-ms is "soon"; allowed is'],
    [[...servers, "--timeout-ms", "86400001", "status"], "from 1 to 86400000"],
    [[...servers, "--help=yes"], '--help takes no value, but got "yes"'],
    [
      [...servers, "--server", "a:1", "status"],
      "unknown flag --server; allowed are --servers, --timeout-ms, --help",
    ],
    [[...servers, "put", "k", "-5"], "unknown flag -5; allowed are --servers, --timeout-ms, --help"],
    [servers, "no command was given; allowed are get, put, append, status"],
    [[...servers, "delete", "k"], 'unknown command "delete"; allowed are get, put, append, status'],
    [[...servers, "toString"], 'unknown command "toString"'],
    [[...servers, "get"], "get takes KEY after it, but got 0 arguments"],
    [[...servers, "put", "k"], "put takes KEY VALUE after it, but got 1 argument"],
    [[...servers, "append", "k", "v", "w"], "append takes KEY VALUE after it, but got 3 arguments"],
    [[...servers, "status", "k"], "status takes nothing after it, but got 1 argument"],
  ])("refuses %j and says why", (args, message) => {
    expect(() => parseOptions(args)).toThrow(UsageError);
    expect(() => parseOptions(args)).toThrow(message);
  });
});
