import fc from "fast-check";
import { expect, it } from "vitest";
import * as wire from "../../src/gen/kvraftpb/kvraft.js";
import * as convert from "../../src/raft-peer/kv-convert.js";
import type { KvCommand, NodeState, NodeStatus } from "../../src/raft-peer/kv-messages.js";

const id = fc.oneof(
  fc.constantFrom(0n, 2n ** 62n - 1n, 2n ** 63n - 1n),
  fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }),
);
const text = fc.string({ unit: "binary", maxLength: 40 });
const PUT: KvCommand = { key: "k", value: "v", op: "put", clientId: 1n, commandId: 2n };
const STATUS: NodeStatus = {
  id: 0,
  state: "Leader",
  term: 1,
  lastApplied: 2,
  commitIndex: 3,
  storageBytes: 4,
};

it("brings a command back from its bytes as it was, ids of 63 bits whole", () => {
  const op = fc.constantFrom("put" as const, "append" as const, "get" as const);
  fc.assert(
    fc.property(fc.record({ key: text, value: text, op, clientId: id, commandId: id }), (command) => {
      const bytes = wire.CommandRequest.encode(convert.kvCommandToWire(command)).finish();
      expect(convert.kvCommandFromWire(wire.CommandRequest.decode(bytes))).toEqual(command);
    }),
  );
});

it("brings a reply back from its bytes as it was", () => {
  fc.assert(
    fc.property(fc.record({ err: text, value: text }), (reply) => {
      const bytes = wire.CommandResponse.encode(convert.kvReplyToWire(reply)).finish();
      expect(convert.kvReplyFromWire(wire.CommandResponse.decode(bytes))).toEqual(reply);
    }),
  );
});

it("brings a status back from its bytes as it was", () => {
  const max = Number.MAX_SAFE_INTEGER;
  const integer = fc.oneof(fc.constantFrom(0, -1, max, -max), fc.integer({ min: -max, max }));
  const state = fc.constantFrom<NodeState>("Follower", "Candidate", "Leader", "Unknown");
  const counters = { id: integer, term: integer, lastApplied: integer, commitIndex: integer };
  fc.assert(
    fc.property(fc.record({ ...counters, state, storageBytes: integer }), (status) => {
      const bytes = wire.GetStatusResponse.encode(convert.nodeStatusToWire(status)).finish();
      expect(convert.nodeStatusFromWire(wire.GetStatusResponse.decode(bytes))).toEqual(status);
    }),
  );
});

it.each(["", "PUT", "delete", "toString", undefined])("refuses to send the operation %s", (op) => {
  expect(() => convert.kvCommandToWire({ ...PUT, op: op as KvCommand["op"] })).toThrow(
    /^op is .*; allowed: put, append, get$/,
  );
});

it.each([3, -1, 2 ** 31 - 1])("takes the operation %s from the wire for none, never for PUT", (op) => {
  const received = { ...convert.kvCommandToWire(PUT), op };
  const bytes = wire.CommandRequest.encode(received).finish();

  expect(() => convert.kvCommandFromWire(wire.CommandRequest.decode(bytes))).toThrow(
    new RangeError(`op is ${op}; allowed: 0 (PUT), 1 (APPEND), 2 (GET)`),
  );
});

it.each(["clientId", "commandId"] as const)("refuses a %s outside [0, 2^63), both ways", (key) => {
  for (const bad of [-1n, 2n ** 63n]) {
    expect(() => convert.kvCommandToWire({ ...PUT, [key]: bad })).toThrow(new RegExp(`^${key} is ${bad};`));
  }
  const received = { ...convert.kvCommandToWire(PUT), [key]: -1n };
  expect(() => convert.kvCommandFromWire(received)).toThrow(new RegExp(`^${key} is -1;`));
});

it.each(["key", "value"] as const)("refuses a %s that is no string or has no UTF-8", (key) => {
  expect(() => convert.kvCommandToWire({ ...PUT, [key]: 5 })).toThrow(`${key} is 5; allowed: a string`);
  expect(() => convert.kvCommandToWire({ ...PUT, [key]: "\uDC00" })).toThrow(
    `${key} has half a surrogate pair`,
  );
});

it.each(["err", "value"])("refuses a reply whose %s is no string", (key) => {
  const reply = { err: "OK", value: "", [key]: undefined as unknown as string };

  expect(() => convert.kvReplyToWire(reply)).toThrow(`${key} is undefined; allowed: a string`);
});

it.each(["", "leader", "Learner"])("reads the state %j as Unknown, and refuses to say it", (state) => {
  const received = { ...convert.nodeStatusToWire(STATUS), state };

  expect(convert.nodeStatusFromWire(received).state).toBe("Unknown");
  expect(() => convert.nodeStatusToWire({ ...STATUS, state: state as NodeState })).toThrow(/^state is /);
});

it.each([
  ["id", "id"],
  ["term", "term"],
  ["lastApplied", "lastApplied"],
  ["commitIndex", "commitIndex"],
  ["storageBytes", "storageSize"],
])("refuses a status whose %s does not fit, both ways, by the name users know", (key, wireKey) => {
  const received = { ...convert.nodeStatusToWire(STATUS), [wireKey]: 2n ** 53n };

  expect(() => convert.nodeStatusToWire({ ...STATUS, [key]: 1.5 })).toThrow(new RegExp(`^${key} is 1\\.5;`));
  expect(() => convert.nodeStatusFromWire(received)).toThrow(new RegExp(`^${key} is 9007199254740992;`));
});
