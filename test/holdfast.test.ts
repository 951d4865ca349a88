import { readFileSync } from "node:fs";
import { inspect } from "node:util";
import { isReason } from "holdfast";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { Holdfast } from "../src/holdfast.js";
import { ConfigFolder, everyKeyObject } from "./config/config-folder.js";
import { ClientSockets } from "./support/client-sockets.js";
import { configErrorOf } from "./support/config-error.js";
import { CounterClient, unary } from "./support/counting-server.js";
import { turns } from "./support/event-loop.js";
import { type LeakBaseline, leakBaseline } from "./support/leak-check.js";

const insecure = true;
const SMALL = {
  channels: {
    users: { target: "static:///127.0.0.1:1", insecure },
    orders: { target: "static:///127.0.0.1:2", insecure },
  },
  clerks: { kv: { servers: ["127.0.0.1:1"], insecure } },
  raftPeers: { kv: { addresses: ["127.0.0.1:1", "127.0.0.1:2", "127.0.0.1:3"], insecure } },
};

let baseline: LeakBaseline;
beforeEach(async () => {
  baseline = await leakBaseline();
});
afterEach(() => baseline.expectClean());

describe("a file with every key", () => {
  const folder = new ConfigFolder();
  let path = "";
  beforeAll(async () => {
    path = await folder.everyKey();
  });
  afterAll(() => folder.remove());

  it("builds everything that it names, without a socket", async () => {
    const sockets = new ClientSockets();

    const holdfast = await Holdfast.fromFile(path);
    const targets = ["users", "quiet", "shared"].map((name) => holdfast.channel(name).getTarget());
    const clerks = ["kv", "elsewhere"].map((name) => holdfast.clerk(name).stats().operations.started);
    const peers = holdfast.raftPeers("kv").map((peer) => peer?.address ?? null);
    const remote = holdfast.raftPeers("remote", { me: 0 }).map((peer) => peer?.address ?? null);
    await turns(5);
    await holdfast.close();
    sockets.close();

    expect(targets).toEqual([
      "dns:///users.internal:50051",
      "static:///127.0.0.1:50052,127.0.0.1:50053",
      "unix:/run/users.sock",
    ]);
    expect(clerks).toEqual([0, 0]);
    expect(peers).toEqual(["127.0.0.1:6001", null, "127.0.0.1:6003"]);
    expect(remote).toEqual([null, "b.internal:6001"]);
    expect(sockets.all).toEqual([]);
  });

  it("says the same as YAML, as JSON and as an object", async () => {
    const object = everyKeyObject(readFileSync(path, "utf8"));
    const damaged = { ...object, clerks: { kv: { sessions: 0 } }, chanels: {} };
    const problemsOf = (make: () => unknown) =>
      configErrorOf(make).details.replace(/^.*?: (?=\d+ problem)/, "");
    const rejection = async (file: string) => {
      const error = await Holdfast.fromFile(file).catch((error: unknown) => error);
      return problemsOf(() => {
        throw error;
      });
    };

    await (await Holdfast.fromFile(folder.write("whole.json", object))).close();
    const asJson = await rejection(folder.write("damaged.json", damaged));
    const asYaml = await rejection(folder.write("damaged.yaml", damaged));

    expect(asJson).toMatch(/^4 problems: .*clerks.kv.sessions is 0/);
    expect(asYaml).toBe(asJson);
    expect(problemsOf(() => Holdfast.fromObject({ clerks: damaged.clerks, chanels: {} } as object))).toBe(
      asJson,
    );
  });

  it("is refused when half of a key pair is missing", async () => {
    const tls = { certFile: "client.pem" };
    const file = folder.write("half.json", { channels: { users: { target: "a:1", tls } } });

    await expect(Holdfast.fromFile(file)).rejects.toThrow(
      "half.json: 1 problem: channels.users.tls.keyFile: missing; certFile needs it",
    );
  });
});

describe("what a configuration names", () => {
  it("is the same each time it is asked for", async () => {
    await using holdfast = Holdfast.fromObject(SMALL);
    const codec = { encode: (text: string) => Buffer.from(text), decode: (bytes: Uint8Array) => `${bytes}` };

    expect(holdfast.channel("users")).toBe(holdfast.channel("users"));
    expect(holdfast.channel("users")).not.toBe(holdfast.channel("orders"));
    expect(holdfast.clerk("kv")).toBe(holdfast.clerk("kv"));
    expect(holdfast.raftPeers("kv", { me: 0 })).toBe(holdfast.raftPeers("kv", { me: 0 }));
    expect(holdfast.raftPeers("kv", { me: 0 })).not.toBe(holdfast.raftPeers("kv", { me: 1 }));
    expect(holdfast.raftPeers("kv", { me: 0, commandCodec: codec })).not.toBe(
      holdfast.raftPeers("kv", { me: 0 }),
    );
  });

  it("does not change with the object it came from", async () => {
    const config = structuredClone(SMALL);
    await using holdfast = Holdfast.fromObject(config);

    config.channels.users.target = "static:///127.0.0.1:9";

    expect(holdfast.channel("users").getTarget()).toBe("static:///127.0.0.1:1");
  });

  it.each<[string, (holdfast: Holdfast) => unknown, string]>([
    ["a channel", (it) => it.channel("user"), 'channels has no "user"; configured: users, orders'],
    ["a stub", (it) => it.stub("kv", CounterClient), 'channels has no "kv"; configured: users, orders'],
    ["a Clerk", (it) => it.clerk("users"), 'clerks has no "users"; configured: kv'],
    ["peers", (it) => it.raftPeers("constructor"), 'raftPeers has no "constructor"; configured: kv'],
    [
      "nothing",
      (it) => it.channel(undefined as never),
      "channels has no undefined; configured: users, orders",
    ],
  ])("is named when something else is asked for: %s", async (_what, ask, details) => {
    await using holdfast = Holdfast.fromObject(SMALL);

    expect(configErrorOf(() => ask(holdfast)).details).toBe(`Holdfast: 1 problem: ${details}`);
  });

  it("may be nothing, or more than an error can list", async () => {
    const many = Object.fromEntries(Array.from({ length: 32 }, (_, n) => [`n${n}`, SMALL.channels.users]));
    await using none = Holdfast.fromObject({});
    await using lots = Holdfast.fromObject({ channels: many });

    expect(configErrorOf(() => none.channel("x")).details).toContain('channels has no "x"; configured: none');
    expect(configErrorOf(() => lots.channel("n999")).details).toMatch(/did you mean n.*, and 2 more$/);
  });
});

describe("this node's place among Raft peers", () => {
  const withMe = { raftPeers: { kv: { ...SMALL.raftPeers.kv, me: 2 } } };
  const placeIn = (holdfast: Holdfast, me?: number) =>
    holdfast.raftPeers("kv", me === undefined ? {} : { me }).indexOf(null);

  it("comes from the call before the configuration", async () => {
    await using holdfast = Holdfast.fromObject(withMe);

    expect([placeIn(holdfast), placeIn(holdfast, 0)]).toEqual([2, 0]);
  });

  it.each<[unknown, string]>([
    [undefined, "is missing in the file and in the call"],
    [3, "is 3"],
    [-1, "is -1"],
    [0.5, "is 0.5"],
    ["0", "is string"],
    [null, "is object"],
  ])("is refused with what is allowed: %j", async (me, problem) => {
    await using holdfast = Holdfast.fromObject(SMALL);

    const { details } = configErrorOf(() => placeIn(holdfast, me as number));
    expect(details).toContain(`raftPeers.kv.me ${problem}; allowed: 0 to 2, this node's place in addresses`);
  });
});

describe("what code says of Raft peers", () => {
  it.each<[unknown, string]>([
    [null, "settings is null; allowed: a value of type object"],
    [5, "settings is 5; allowed: a value of type object"],
    [{ me: 0, mee: 1 }, "mee is not a known key (did you mean me?)"],
    [
      { me: 0, commandCodec: 5 },
      "commandCodec is 5: allowed: an object with the functions encode and decode",
    ],
    [{ me: 0, commandCodec: null }, "commandCodec is null: allowed: an object with the functions"],
    [{ me: 0, commandCodec: { encode: () => "" } }, "commandCodec: allowed: an object with the functions"],
  ])("is refused with what is allowed: %j", async (settings, problem) => {
    await using holdfast = Holdfast.fromObject(SMALL);

    const { details } = configErrorOf(() => holdfast.raftPeers("kv", settings as object));

    expect(details).toContain(`Holdfast: 1 problem: ${problem}`);
  });

  it("is told as a whole", async () => {
    await using holdfast = Holdfast.fromObject(SMALL);

    const { details } = configErrorOf(() => holdfast.raftPeers("kv", { me: 7, commandCodec: 5 } as never));

    expect(details).toMatch(
      /^Holdfast: 2 problems: commandCodec is 5: .*; raftPeers\.kv\.me is 7; allowed: 0 to 2/,
    );
  });
});

it("shows nobody its configuration, which holds private keys", async () => {
  await using holdfast = Holdfast.fromObject(SMALL);

  expect(Object.keys(holdfast).filter((key) => /config|collaborators/.test(key))).toEqual([]);
  expect(inspect(holdfast, { depth: 9, showHidden: true })).not.toContain("127.0.0.1");
});

describe("a closed Holdfast", () => {
  it("has closed all it made and makes nothing more", async () => {
    const holdfast = Holdfast.fromObject(SMALL);
    const [channel, clerk, peers] = [
      holdfast.channel("users"),
      holdfast.clerk("kv"),
      holdfast.raftPeers("kv", { me: 0 }),
    ];
    const stub = holdfast.stub("orders", CounterClient);

    await Promise.all([holdfast.close({ drainMs: 0 }), holdfast.close()]);
    await holdfast.close();

    expect(channel.isClosed).toBe(true);
    await expect(clerk.get("a")).rejects.toMatchObject({ reason: "CLIENT_CLOSED" });
    const vote = { term: 1, candidateId: 0, lastLogIndex: 0, lastLogTerm: 0 };
    expect(await peers[1]!.requestVote(vote)).toMatchObject({ ok: false, kind: "closed" });
    const result = await unary(stub, "x");
    expect(!result.ok && isReason(result.error, "CLIENT_CLOSED")).toBe(true);
    const uses = [
      () => holdfast.channel("users"),
      () => holdfast.stub("users", CounterClient),
      () => holdfast.clerk("kv"),
      () => holdfast.raftPeers("kv", { me: 0 }),
    ];
    for (const use of uses)
      expect(use).toThrow(expect.objectContaining({ reason: "CLIENT_CLOSED", code: 1 }));
  });

  it("may have been destroyed, which ends everything at once", async () => {
    const holdfast = Holdfast.fromObject(SMALL);
    const [channel, clerk] = [holdfast.channel("users"), holdfast.clerk("kv")];

    holdfast.destroy();

    expect(channel.isClosed).toBe(true);
    await expect(clerk.get("a")).rejects.toMatchObject({ reason: "CLIENT_CLOSED" });
    expect(() => holdfast.channel("users")).toThrow(expect.objectContaining({ reason: "CLIENT_CLOSED" }));
  });
});
