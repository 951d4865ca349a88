import { status as Status } from "@grpc/grpc-js";
import { expect, it } from "vitest";
import { type StatusAnswer, StatusRound } from "../../../src/raft-peer/clerk/status-round.js";
import type { LinkFailure, NodeState } from "../../../src/raft-peer/index.js";

const says = (state: NodeState, term: number): StatusAnswer => ({
  ok: true,
  status: { id: 0, state, term, lastApplied: 0, commitIndex: 0, storageBytes: 0 },
});
const leader = (term: number) => says("Leader", term);
const follower = (term: number) => says("Follower", term);
const down: LinkFailure = {
  ok: false,
  kind: "unreachable",
  code: Status.UNAVAILABLE,
  reason: "DIAL_FAILED",
  processed: "no",
  details: "refused",
  ms: 0,
  attempts: [],
};
const unimplemented: LinkFailure = {
  ...down,
  kind: "rejected",
  code: Status.UNIMPLEMENTED,
  reason: "REMOTE",
};

function read(servers: number, answers: readonly StatusAnswer[]): StatusRound {
  const round = new StatusRound(servers, servers);
  for (const [index, answer] of answers.entries()) round.add(`n${index}:1`, answer);
  return round;
}

it.each<[string, number, StatusAnswer[], string | null]>([
  ["one claim and nobody later", 3, [follower(2), leader(2), follower(2)], "n1:1"],
  ["half of the answers are too few to be sure", 4, [leader(2), follower(2)], null],
  ["more than half of the servers are enough, without the slow ones", 3, [leader(2), follower(1)], "n0:1"],
  ["the higher of two claims", 3, [leader(2), leader(3), follower(3)], "n1:1"],
  ["an outdated claim alone is not proved yet", 3, [leader(2), follower(3)], null],
  ["an outdated claim that most have left behind", 3, [leader(2), follower(3), follower(3)], null],
  ["a claim that one runaway term does not disprove", 3, [leader(2), follower(9), down], "n0:1"],
  ["a claim that only we can reach", 3, [down, leader(2), down], "n1:1"],
  ["nobody leads", 3, [follower(2), says("Candidate", 3), down], null],
  ["nobody answers", 3, [down, down, down], null],
  ["a claim that most servers' terms contradict", 3, [leader(9), follower(2), follower(2)], null],
  ["the true leader beside a foreign one", 3, [leader(9), leader(2), follower(2)], "n1:1"],
  ["a cluster of one", 1, [leader(1)], "n0:1"],
  ["a claim of term 0", 1, [leader(0)], null],
])("%s", (_, servers, answers, expected) => {
  expect(read(servers, answers).leader?.address ?? null).toBe(expected);
});

it("knows a cluster that counts its terms from the start again", () => {
  expect(read(3, [follower(1), leader(1)]).contradicts(7)).toBe(true);
  expect(read(3, [follower(1), leader(7)]).contradicts(7)).toBe(false);
  expect(read(3, [follower(1), down, down]).contradicts(7)).toBe(false);
});

it.each<[string, StatusAnswer[], boolean]>([
  ["everybody refuses for good", [unimplemented, unimplemented, unimplemented], true],
  ["one may come back", [unimplemented, down, unimplemented], false],
  ["one answers", [unimplemented, follower(1), unimplemented], false],
  ["not everybody has answered", [unimplemented, unimplemented], false],
  ["nobody is there", [down, down, down], false],
])("says whether asking again makes sense: %s", (_, answers, isHopeless) => {
  expect(read(3, answers).refusal).toBe(isHopeless ? unimplemented : null);
});
