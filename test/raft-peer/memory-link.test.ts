import { status } from "@grpc/grpc-js";
import { describe, expect, it } from "vitest";
import { RaftServiceService } from "../../src/gen/raftpb/raft.js";
import type { AppendEntriesRequest, RaftHandler } from "../../src/raft-peer/raft-messages.js";
import { settle } from "../support/manual-clock.js";
import { COMMAND, CountingNode, memoryStage, OK, send } from "./memory-calls.js";

describe("a message that does not fit", () => {
  it.each([
    ["throws", (): never => notEncodable(), "bad bytes"],
    ["makes no bytes", () => "text" as unknown as Buffer, "its serializer made no bytes"],
  ])("is invalid when its serializer %s; nothing was sent", async (_, requestSerialize, why) => {
    const { network, link, clock } = served();

    const { heard, cancel } = send(link, { method: { ...COMMAND, requestSerialize } });
    cancel();
    await settle();

    expect(heard).toEqual([
      expect.objectContaining({ kind: "invalid", code: status.INTERNAL, processed: "no", attempts: [] }),
    ]);
    expect(heard[0]).toMatchObject({ details: `${COMMAND.path}: the request cannot be sent: ${why}` });
    expect(network.stats().calls).toBe(0);
    expect(clock.pendingTimers).toBe(0);
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY])("is invalid with a timeout of %s ms", async (timeoutMs) => {
    const { link } = served();

    const { heard } = send(link, { timeoutMs });
    await settle();

    expect(heard).toMatchObject([{ kind: "invalid", details: expect.stringContaining(`${timeoutMs}`) }]);
  });

  it("is malformed when the response cannot be decoded; it has run", async () => {
    const { link, clock, node } = served();

    const { heard } = send(link, { method: { ...COMMAND, responseDeserialize: notEncodable } });
    await clock.advance(0);

    expect(heard).toMatchObject([{ kind: "malformed", code: status.INTERNAL, processed: "yes" }]);
    expect(node.keys).toEqual(["k"]);
  });

  it("is rejected when the server cannot decode the request", async () => {
    const { link, clock, node } = served();

    const { heard } = send(link, {
      method: { ...COMMAND, requestSerialize: () => Buffer.from([0x0a, 0xff]) },
    });
    await clock.advance(0);

    expect(heard).toMatchObject([{ kind: "rejected", code: status.INTERNAL }]);
    expect(node.keys).toEqual([]);
  });

  it("is too large when the request is over the limit; it was not sent", async () => {
    const { link, network } = served({ maxMessageBytes: 50 });

    const { heard } = send(link, { key: "k".repeat(51) });
    await settle();

    expect(heard).toMatchObject([
      { kind: "too-large", code: status.RESOURCE_EXHAUSTED, reason: "MESSAGE_TOO_LARGE", processed: "no" },
    ]);
    expect(heard[0]).toMatchObject({ details: expect.stringMatching(/has 60 bytes, allowed are 50/) });
    expect(network.stats().calls).toBe(0);
  });

  it("is too large when the response is over the limit; it may have run", async () => {
    const { link, clock } = served({ maxMessageBytes: 50 }, "v".repeat(51));

    const { heard } = send(link);
    await clock.advance(0);

    expect(heard).toMatchObject([{ kind: "too-large", code: status.RESOURCE_EXHAUSTED, processed: "maybe" }]);
  });
});

describe("caller and handler", () => {
  it("share no object: what one changes afterwards, the other does not see", async () => {
    const { network, clock } = memoryStage({ duplicateRatio: 1 });
    const seen: AppendEntriesRequest[] = [];
    const reply = { term: 1, success: true, conflictIndex: 0, conflictTerm: 0 };
    const appendEntries: RaftHandler["appendEntries"] = (request) => {
      seen.push(structuredClone(request));
      request.entries[0]?.command.fill(0);
      return reply;
    };
    network.serve("b:1", { raft: { ...otherMethods, appendEntries } });
    const request = appendRequest(Buffer.from("abc"));
    const heard: unknown[] = [];

    network.link("a:1", "b:1").call(RaftServiceService.appendEntries, request, 100, (result) => {
      heard.push(result);
    });
    request.entries[0]?.command.fill(1);
    request.entries.push({ index: 2n, term: 1n, command: Buffer.from("later") });
    await clock.advance(0);
    reply.term = 99;
    await clock.advance(2_000);

    expect(seen.map(({ entries }) => entries.map(({ command }) => Buffer.from(command).toString()))).toEqual([
      ["abc"],
      ["abc"],
    ]);
    expect(request.entries[0]?.command).toEqual(Buffer.from([1, 1, 1]));
    expect(heard).toMatchObject([{ ok: true, response: { term: 1n } }]);
  });

  it("share no bytes either when a codec passes them through", async () => {
    const { link, clock, node } = served();
    const bytes = Buffer.from(
      COMMAND.requestSerialize({ key: "k", value: "", op: 0, clientId: 1n, commandId: 1n }),
    );

    send(link, { method: { ...COMMAND, requestSerialize: () => bytes } });
    bytes.fill(0xff);
    await clock.advance(0);

    expect(node.keys).toEqual(["k"]);
  });
});

describe("closing a link", () => {
  it("ends its calls at once and takes its messages off the network", async () => {
    const { network, link, clock, node } = served({ reliable: false, duplicateRatio: 1 });
    const calls = Array.from({ length: 20 }, (_, n) => send(link, { key: `${n}` }));
    await clock.advance(10);
    const arrived = node.keys.length;

    await link.close();
    await link.close();

    expect(arrived).toBeGreaterThan(0);
    expect(calls.every(({ heard }) => heard.length === 1)).toBe(true);
    expect(calls.at(-1)?.heard).toMatchObject([{ ok: expect.any(Boolean) }]);
    expect(clock.pendingTimers).toBe(0);
    await clock.advance(3_000);
    expect(network.stats().perServer).toEqual({ "b:1": arrived });
  });

  it("tells a running call CLIENT_CLOSED; it may have run", async () => {
    const { link } = served();
    const { heard } = send(link);

    await link.close();

    expect(heard).toMatchObject([
      { kind: "closed", code: status.CANCELLED, reason: "CLIENT_CLOSED", processed: "maybe" },
    ]);
  });

  it("fails later calls at once; they were not sent", async () => {
    const { link, network } = served();
    await link.close();

    const { heard } = send(link);
    await settle();

    expect(heard).toMatchObject([{ kind: "closed", reason: "CLIENT_CLOSED", processed: "no" }]);
    expect(network.stats().calls).toBe(0);
  });
});

const otherMethods = { requestVote: notEncodable, installSnapshot: notEncodable };

function appendRequest(command: Buffer) {
  return {
    term: 1n,
    leaderId: 0n,
    prevLogIndex: 0n,
    prevLogTerm: 0n,
    leaderCommit: 0n,
    entries: [{ index: 1n, term: 1n, command }],
  };
}

function served(options: Parameters<typeof memoryStage>[0] = {}, value = "") {
  const { clock, network } = memoryStage(options);
  const node = new CountingNode(() => ({ ...OK, value }));
  network.serve("b:1", { kv: node });
  return { clock, network, node, link: network.link("a:1", "b:1") };
}

function notEncodable(): never {
  throw new Error("bad bytes");
}
