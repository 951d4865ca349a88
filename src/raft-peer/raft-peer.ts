import type { CloseOptions, Subscription } from "../core/index.js";
import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  RequestVoteRequest,
  RequestVoteResponse,
} from "./raft-messages.js";
import type { LinkFailure } from "./unary-link.js";

/** A call to a peer that got no reply. Returned, never thrown. */
export interface PeerFailure extends LinkFailure {
  /** Of a batch that went out in parts: the last entry that the peer has taken all the same. */
  readonly acceptedIndex?: number;
}

export type PeerResult<Reply> =
  | { readonly ok: true; readonly reply: Reply; readonly ms: number }
  | PeerFailure;

/** Told of a term higher than any this peer has shown before. */
export type TermListener = (term: number, address: string) => void;

/** Another node of the Raft cluster. Every call gives a reply or a typed failure and never throws. */
export interface RaftPeer<Command = Uint8Array> {
  readonly address: string;
  requestVote(request: RequestVoteRequest): Promise<PeerResult<RequestVoteResponse>>;
  /**
   * A request larger than `appendPartBytes` goes out in parts, one after another; the reply is that of the last part
   * sent, or of the first that was refused. A failure in between tells how far the parts before it got.
   */
  appendEntries(request: AppendEntriesRequest<Command>): Promise<PeerResult<AppendEntriesResponse>>;
  installSnapshot(request: InstallSnapshotRequest): Promise<PeerResult<InstallSnapshotResponse>>;
  /** Hears the terms in the peer's replies, each time one is higher than all before; until disposed. */
  onTerm(listener: TermListener): Subscription;
  /** Ends calls in flight with `closed`; later ones fail the same way. May be called again. */
  close(options?: CloseOptions): Promise<void>;
}
