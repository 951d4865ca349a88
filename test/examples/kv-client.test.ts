import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { type LeakBaseline, leakBaseline } from "../support/leak-check.js";
import { deadAddress, FakeKvCluster } from "./fake-kv-cluster.js";

const PROJECT = fileURLToPath(new URL("../..", import.meta.url));

/** Every run starts a Node process, which a busy machine may take seconds for. */
const LIMIT_MS = 60_000;

interface Run {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the example in a process of its own; the servers are in this one. */
function kvClient(...args: string[]): Promise<Run> {
  return new Promise((resolve) => {
    // Without the warning that plain TCP is for loopback alone, so that what is left is what the example prints.
    const node = ["--disable-warning=HOLDFAST_INSECURE", "--import", "tsx", "examples/kv-client/main.ts"];
    const child = execFile(process.execPath, [...node, ...args], { cwd: PROJECT }, (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

const ok = (stdout: string): Run => ({ code: 0, stdout, stderr: "" });

describe("examples/kv-client", { timeout: LIMIT_MS }, () => {
  let leaks: LeakBaseline;
  let cluster: FakeKvCluster;

  beforeAll(async () => {
    leaks = await leakBaseline();
    cluster = await FakeKvCluster.start();
  });
  beforeEach(() => {
    cluster.mood = "answers";
    cluster.commands.length = 0;
  });
  afterAll(async () => {
    await cluster[Symbol.asyncDispose]();
    await leaks.expectClean();
  });

  const run = (...args: string[]) => kvClient("--servers", cluster.servers, ...args);

  it("puts, appends and gets through the leader, wherever in the list it is", async () => {
    expect(await run("put", "greeting", "hello")).toEqual(ok("OK\n"));
    expect(await run("append", "greeting", ", wörld")).toEqual(ok("OK\n"));
    expect(await run("get", "greeting")).toEqual(ok("hello, wörld\n"));

    expect(cluster.commands).toHaveLength(3);
  });

  it("tells a missing key from an empty value", async () => {
    cluster.store.set("empty", "");

    expect(await run("get", "empty")).toEqual(ok("\n"));
    expect(await run("get", "missing")).toEqual({
      code: 1,
      stdout: "",
      stderr: 'the key "missing" does not exist\n',
    });
  });

  it("shows every server's view, and an Offline row for one that is down", async () => {
    const { code, stdout, stderr } = await run("status");

    const [header, follower, leader, down] = ["address", ...cluster.addresses].map((text) =>
      text.padStart(longest(cluster)),
    );
    expect(stdout.split("\n")).toEqual([
      `id  ${header}     state  term  applied  commit   bytes`,
      `0   ${follower}  Follower     7     1041    1042   65536`,
      `1   ${leader}    Leader     7     1041    1042  131072`,
      `-   ${down}   Offline     -        -       -       -`,
      "",
    ]);
    expect(stderr).toContain(`${cluster.addresses[2]} is Offline: `);
    expect(code).toBe(0);
  });

  it("says that a write's outcome is unknown, with the ids the leader saw", async () => {
    cluster.mood = "is silent";

    const { code, stdout, stderr } = await run("--timeout-ms", "1500", "append", "k", "v");

    const { clientId, commandId } = cluster.commands[0]!;
    expect(stderr).toMatch(/^OUTCOME_UNKNOWN: /);
    expect(stderr).toContain(`client id ${clientId}, command id ${commandId}`);
    expect({ code, stdout }).toEqual({ code: 1, stdout: "" });
  });

  it("fails at once on an answer it does not know", async () => {
    cluster.mood = { err: "ErrDisk" };

    const { code, stderr } = await run("put", "k", "v");

    expect(stderr).toContain("ErrDisk");
    expect(code).toBe(1);
    expect(cluster.commands).toHaveLength(1);
  });

  it("gives up in time when every server is down", async () => {
    const servers = [await deadAddress(), await deadAddress()].join(",");

    const [get, status] = await Promise.all([
      kvClient("--servers", servers, "--timeout-ms", "300", "get", "k"),
      kvClient("--servers", servers, "status"),
    ]);

    expect(get).toMatchObject({ code: 1, stdout: "" });
    expect(get.stderr).toMatch(/^NOT_LEADER: .*2 servers.* \d+ ms/);
    expect(status.code).toBe(1);
    expect(status.stdout.match(/ Offline /g)).toHaveLength(2);
  });

  it.each([
    [[], "--servers is missing"],
    [["--servers", "127.0.0.1:99999", "get", "k"], "127.0.0.1:99999"],
  ])("ends with 2 and the reason for %j", async (args, reason) => {
    const { code, stdout, stderr } = await kvClient(...args);

    expect(stderr).toContain(reason);
    expect(stderr).not.toContain("    at ");
    expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  });

  it("explains itself", async () => {
    const { code, stdout } = await kvClient("--help");

    expect(stdout).toContain("usage: ");
    expect(code).toBe(0);
  });
});

function longest(cluster: FakeKvCluster): number {
  return Math.max(...cluster.addresses.map((address) => address.length));
}
