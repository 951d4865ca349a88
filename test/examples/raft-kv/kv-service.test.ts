import type { KvCommand } from "holdfast";
import { describe, expect, it } from "vitest";
import { encodeKvCommand } from "../../../examples/raft-kv/kv/kv-command.js";
import { KvService } from "../../../examples/raft-kv/kv/kv-service.js";
import { KvStore } from "../../../examples/raft-kv/kv/kv-store.js";
import { RaftNode } from "../../../examples/raft-kv/raft/raft-node.js";
import { settle } from "../../support/manual-clock.js";
import { entry } from "./entries.js";
import { LoneNode } from "./lone-node.js";
import { accepted } from "./scripted-peer.js";

const TIMEOUT = { err: "ErrTimeout", value: "" };
const WRONG_LEADER = { err: "ErrWrongLeader", value: "" };
const OK = { err: "OK", value: "" };

/** A service over a node whose peers are the test. */
class Stage {
  readonly node: LoneNode;
  readonly service: KvService;

  constructor() {
    this.node = new LoneNode({
      makeRaft: (options) =>
        new RaftNode({
          ...options,
          apply: (each) => this.service.apply(each),
          onRole: ({ role }) => role !== "Leader" && this.service.leadershipLost(),
        }),
    });
    const { raft, clock } = this.node;
    this.service = new KvService({ me: 0, raft, store: new KvStore(), clock });
  }

  static async leading(): Promise<Stage> {
    const stage = new Stage();
    await stage.node.lead();
    await stage.acceptAll();
    return stage;
  }

  command(op: string, commandId = 0n, rest: Partial<KvCommand> = {}) {
    const command = { op, key: "k", value: "v", clientId: 1n, commandId, ...rest } as KvCommand;
    return this.service.command(command);
  }

  async acceptAll(): Promise<void> {
    await this.node.clock.advance(0);
    for (const { append } of this.node.peers) append.reply(accepted(this.node.term));
    await settle();
  }
}

describe("a leader", () => {
  it("answers a write when it is applied, and a read after it with its value", async () => {
    const stage = await Stage.leading();

    const write = stage.command("put");
    await stage.acceptAll();
    const read = stage.command("get");
    await stage.acceptAll();

    expect(await write).toEqual(OK);
    expect(await read).toEqual({ err: "OK", value: "v" });
    expect(stage.node.clock.keepAliveTimers).toBe(0);
  });

  it("says ErrTimeout after 500 ms when it cannot tell, and goes on", async () => {
    const stage = await Stage.leading();
    const reply = stage.command("put");
    let isSettled = false;
    void Promise.resolve(reply).then(() => {
      isSettled = true;
    });

    await stage.node.clock.advance(499);
    expect(isSettled).toBe(false);
    await stage.node.clock.advance(1);
    expect(await reply).toEqual(TIMEOUT);

    const read = stage.command("get");
    await stage.acceptAll();
    await stage.acceptAll();
    expect(await read).toEqual({ err: "OK", value: "v" });
  });

  it("says ErrTimeout at once when it steps down, never ErrWrongLeader for what it has taken", async () => {
    const stage = await Stage.leading();
    const written = stage.command("put");
    await stage.node.clock.advance(0);
    const unwritten = stage.command("get");

    stage.node.vote(9, 1, [9, 9]);

    expect(await Promise.all([written, unwritten])).toEqual([TIMEOUT, TIMEOUT]);
    expect(stage.node.clock.keepAliveTimers).toBe(0);
  });

  it("never takes the entry another leader put in its place for its own", async () => {
    const stage = await Stage.leading();
    const reply = stage.command("put");
    await stage.node.clock.advance(0);

    stage.node.append(9, [1, 1], [entry(2, 9, "\0")], 2);

    expect(await reply).toEqual(TIMEOUT);
    await stage.node.lead();
    const read = stage.command("get");
    await stage.acceptAll();
    await stage.acceptAll();
    expect(await read).toEqual({ err: "ErrNoKey", value: "" });
  });

  it("gives nobody the reply to another term's entry at the index it waits for", async () => {
    const stage = await Stage.leading();
    const reply = stage.command("put");
    const other = encodeKvCommand({ op: "put", key: "other", value: "", clientId: 2n, commandId: 0n });

    stage.service.apply({ index: 2, term: 9, command: other });

    expect(await reply).toEqual(TIMEOUT);
  });

  it("says ErrTimeout at once when it is stopped", async () => {
    const stage = await Stage.leading();
    const reply = stage.command("put");

    stage.node.raft.stop();

    expect(await reply).toEqual(TIMEOUT);
    expect(stage.node.clock.pendingTimers).toBe(0);
  });

  it("answers a write it has applied before without another entry", async () => {
    const stage = await Stage.leading();
    const first = stage.command("append", 5n);
    await stage.acceptAll();
    await first;
    const { lastIndex } = stage.node.raft.status();

    expect([stage.command("append", 5n), stage.command("append", 4n)]).toEqual([OK, OK]);

    await stage.node.clock.advance(0);
    expect(stage.node.raft.status().lastIndex).toBe(lastIndex);
  });

  it("says ErrValueTooLarge for a write that would make a value longer than 1 MiB, and goes on", async () => {
    const stage = await Stage.leading();

    const put = stage.command("put", 0n, { value: "x".repeat(1024 * 1024 + 1) });
    await stage.acceptAll();
    const read = stage.command("get");
    await stage.acceptAll();

    expect(await put).toEqual({ err: "ErrValueTooLarge", value: "" });
    expect(await read).toEqual({ err: "ErrNoKey", value: "" });
  });

  it("applies a write once that was sent again before the first was applied", async () => {
    const stage = await Stage.leading();

    const both = [stage.command("append", 5n), stage.command("append", 5n)];
    await stage.acceptAll();
    const read = stage.command("get");
    await stage.acceptAll();

    expect(await Promise.all(both)).toEqual([OK, OK]);
    expect(await read).toEqual({ err: "OK", value: "v" });
  });
});

it("a follower and a candidate answer ErrWrongLeader, and nothing is done", async () => {
  const stage = new Stage();

  expect(stage.command("put")).toEqual(WRONG_LEADER);
  await stage.node.stand();
  expect(stage.command("get")).toEqual(WRONG_LEADER);
  expect(stage.node.raft.status().lastIndex).toBe(0);
});

describe("what is no command", () => {
  const cases = [
    { field: "op", command: { op: "delete" }, says: "op is delete; allowed: put, append, get" },
    { field: "key", command: { key: 5 }, says: "key is 5; allowed: a string" },
    { field: "value", command: { value: undefined }, says: "value is undefined; allowed: a string" },
    { field: "clientId", command: { clientId: -1n }, says: "clientId is -1; allowed: a bigint" },
    { field: "commandId", command: { commandId: 2n ** 63n }, says: "allowed: a bigint from 0 to 2^63-1" },
    { field: "size", command: { value: "x".repeat(4 * 1024 * 1024) }, says: "bytes; allowed: 4177920" },
  ];

  for (const { field, command, says } of cases) {
    it(`is refused with ${field}, what it is and what is allowed`, async () => {
      const stage = await Stage.leading();

      expect(() => stage.command("put", 0n, command as Partial<KvCommand>)).toThrow(says);

      expect(stage.node.raft.status().lastIndex).toBe(1);
    });
  }
});

it("a node stops rather than skip a committed command it cannot read, which others might apply", () => {
  const { node } = new Stage();

  expect(() => node.append(1, [0, 0], [entry(1, 1, "of another program")], 1)).toThrow(
    "a command of 18 bytes in the log is none of this program's",
  );

  expect(node.fatal).toHaveLength(1);
});

it("shows the node's own view", async () => {
  const stage = await Stage.leading();
  const before = stage.service.status();
  void stage.command("put");
  await stage.acceptAll();

  expect(before).toMatchObject({ id: 0, state: "Leader", term: 1, lastApplied: 1, commitIndex: 1 });
  expect(stage.service.status().lastApplied).toBe(2);
  expect(stage.service.status().storageBytes).toBe(stage.node.raft.status().storageBytes + 2);
});
