import * as wire from "../gen/kvraftpb/kvraft.js";
import type { KvCommand, KvOperation, KvReply, NodeState, NodeStatus } from "./kv-messages.js";
import { fromInt64, idOf, textOf, toInt64, unfit } from "./wire-fields.js";

/**
 * Between what KV clients and servers say and the generated messages. What does not fit is a RangeError that names the
 * field: an unknown operation above all, which a server would take for PUT or apply as nothing with "OK".
 */

const TO_OP: ReadonlyMap<KvOperation, wire.Op> = new Map([
  ["put", wire.Op.PUT],
  ["append", wire.Op.APPEND],
  ["get", wire.Op.GET],
]);
const FROM_OP: ReadonlyMap<wire.Op, KvOperation> = new Map([...TO_OP].map(([name, op]) => [op, name]));
const STATES: readonly NodeState[] = ["Follower", "Candidate", "Leader", "Unknown"];

export function kvCommandToWire(command: KvCommand): wire.CommandRequest {
  const op = TO_OP.get(command.op);
  if (op === undefined) throw unfit("op", command.op, [...TO_OP.keys()].join(", "));
  return {
    key: textOf("key", command.key),
    value: textOf("value", command.value),
    op,
    clientId: idOf("clientId", command.clientId),
    commandId: idOf("commandId", command.commandId),
  };
}

export function kvCommandFromWire(command: wire.CommandRequest): KvCommand {
  const op = FROM_OP.get(command.op);
  if (op === undefined) throw unfit("op", command.op, "0 (PUT), 1 (APPEND), 2 (GET)");
  return {
    key: command.key,
    value: command.value,
    op,
    clientId: idOf("clientId", command.clientId),
    commandId: idOf("commandId", command.commandId),
  };
}

export function kvReplyToWire(reply: KvReply): wire.CommandResponse {
  return { err: textOf("err", reply.err), value: textOf("value", reply.value) };
}

export function kvReplyFromWire(reply: wire.CommandResponse): KvReply {
  return { err: reply.err, value: reply.value };
}

export function nodeStatusToWire(status: NodeStatus): wire.GetStatusResponse {
  if (!STATES.includes(status.state)) throw unfit("state", status.state, STATES.join(", "));
  return {
    id: toInt64("id", status.id),
    state: status.state,
    term: toInt64("term", status.term),
    lastApplied: toInt64("lastApplied", status.lastApplied),
    commitIndex: toInt64("commitIndex", status.commitIndex),
    storageSize: toInt64("storageBytes", status.storageBytes),
  };
}

/** A state that a later server may add reads as `Unknown`. */
export function nodeStatusFromWire(status: wire.GetStatusResponse): NodeStatus {
  return {
    id: fromInt64("id", status.id),
    state: STATES.find((state) => state === status.state) ?? "Unknown",
    term: fromInt64("term", status.term),
    lastApplied: fromInt64("lastApplied", status.lastApplied),
    commitIndex: fromInt64("commitIndex", status.commitIndex),
    storageBytes: fromInt64("storageBytes", status.storageSize),
  };
}
