import { status } from "@grpc/grpc-js";
import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  LinkFailure,
  RaftPeer,
  RequestVoteRequest,
  RequestVoteResponse,
} from "holdfast";
import { Subscription } from "../../../src/core/index.js";

/** A request that waits for the test to answer it. */
export interface Sent<Request, Reply> {
  readonly request: Request;
  reply(reply: Reply): void;
  fail(): void;
}

export const UNREACHABLE: LinkFailure = {
  ok: false,
  kind: "unreachable",
  code: status.UNAVAILABLE,
  reason: "NO_READY_ENDPOINT",
  processed: "no",
  details: "the test says so",
  ms: 0,
  attempts: [],
};

/** A peer whose every answer the test gives. */
export class ScriptedPeer implements RaftPeer {
  readonly votes: Sent<RequestVoteRequest, RequestVoteResponse>[] = [];
  readonly appends: Sent<AppendEntriesRequest, AppendEntriesResponse>[] = [];

  constructor(readonly address = "scripted") {}

  requestVote: RaftPeer["requestVote"] = (request) => asked(this.votes, request);
  appendEntries: RaftPeer["appendEntries"] = (request) => asked(this.appends, request);
  installSnapshot: RaftPeer["installSnapshot"] = async () => UNREACHABLE;
  onTerm: RaftPeer["onTerm"] = () => new Subscription(() => {});
  close: RaftPeer["close"] = async () => {};

  /** The latest AppendEntries. */
  get append(): Sent<AppendEntriesRequest, AppendEntriesResponse> {
    const last = this.appends.at(-1);
    if (last === undefined) throw new Error("no AppendEntries has been sent");
    return last;
  }
}

type Answer<Reply> = { readonly ok: true; readonly reply: Reply; readonly ms: number } | LinkFailure;

function asked<Request, Reply>(sent: Sent<Request, Reply>[], request: Request): Promise<Answer<Reply>> {
  return new Promise((resolve) => {
    sent.push({
      request,
      reply: (reply) => resolve({ ok: true, reply, ms: 0 }),
      fail: () => resolve(UNREACHABLE),
    });
  });
}

export function accepted(term: number): AppendEntriesResponse {
  return { term, success: true, conflictIndex: 0, conflictTerm: 0 };
}

export function refused(term: number, conflictIndex: number, conflictTerm: number): AppendEntriesResponse {
  return { term, success: false, conflictIndex, conflictTerm };
}
