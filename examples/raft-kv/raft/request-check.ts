import type { AppendEntriesRequest, RequestVoteRequest } from "holdfast";
import { RequestRefused } from "../request-refused.js";
import { isTerm, MAX_TERM } from "./term.js";

/** Where a node stands in its cluster. */
interface Membership {
  readonly me: number;
  readonly peers: readonly unknown[];
}

/** @throws RequestRefused when no other member of this cluster can have sent it */
export function checkRequestVote(request: RequestVoteRequest, membership: Membership): void {
  checkSender("candidateId", request.candidateId, membership);
  checkTerm(request.term);
}

/** @throws RequestRefused when no other member of this cluster can have sent it, or its entries would corrupt the log */
export function checkAppendEntries(request: AppendEntriesRequest, membership: Membership): void {
  checkSender("leaderId", request.leaderId, membership);
  checkTerm(request.term);
  checkIndexes(request);
  checkEntryTerms(request);
}

/** A sender that is none points to a wrong address list, most likely. */
function checkSender(field: string, sender: number, { me, peers }: Membership): void {
  if (Number.isInteger(sender) && sender >= 0 && sender < peers.length && sender !== me) return;
  throw RequestRefused.invalid(
    `${field} is ${sender}; allowed: a position in the list of ${peers.length} servers other than ${me}`,
  );
}

/** A higher term, once taken, is on disk for good and spreads through the cluster, where no election could follow. */
function checkTerm(term: number): void {
  if (!isTerm(term)) throw RequestRefused.invalid(`term is ${term}; allowed: 0 to ${MAX_TERM}`);
}

function checkIndexes({ prevLogIndex, entries }: AppendEntriesRequest): void {
  const wrong = entries.findIndex((entry, position) => entry.index !== prevLogIndex + 1 + position);
  if (wrong < 0) return;
  throw RequestRefused.invalid(
    `entries[${wrong}].index is ${entries[wrong]?.index}; allowed: ${prevLogIndex + 1 + wrong}, ` +
      "for entries follow prevLogIndex one by one",
  );
}

/** Terms never fall along a log, and none is above its leader's: votes and conflicts are decided by that. */
function checkEntryTerms({ term: leaderTerm, prevLogTerm, entries }: AppendEntriesRequest): void {
  let lowest = Math.max(1, prevLogTerm);
  entries.forEach(({ term }, position) => {
    if (!Number.isInteger(term) || term < lowest || term > leaderTerm) {
      throw RequestRefused.invalid(
        `entries[${position}].term is ${term}; allowed: ${lowest} to the request's term ${leaderTerm}, ` +
          "for terms never fall along a log",
      );
    }
    lowest = term;
  });
}
