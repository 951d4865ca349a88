import type { RaftPeer, RequestVoteRequest } from "holdfast";

export interface CampaignOptions {
  readonly request: RequestVoteRequest;
  readonly voters: readonly RaftPeer[];
  /** Votes needed, the candidate's own included. */
  readonly quorum: number;
  /** Told of every term in a reply, also after the end. */
  readonly onTerm: (term: number) => void;
  readonly onWon: () => void;
}

/** One candidate's attempt to become leader of one term. */
export class Campaign {
  readonly #options: CampaignOptions;
  #votes = 0;
  #isOver = false;

  constructor(options: CampaignOptions) {
    this.#options = options;
  }

  start(): void {
    const { request, voters, onTerm } = this.#options;
    for (const voter of voters) {
      void voter.requestVote(request).then((result) => {
        if (!result.ok) return;
        onTerm(result.reply.term);
        if (result.reply.voteGranted && result.reply.term === request.term) this.#count();
      });
    }
    this.#count();
  }

  /** The role or the term has changed: votes that come now count for nothing. */
  stop(): void {
    this.#isOver = true;
  }

  #count(): void {
    this.#votes++;
    if (this.#isOver || this.#votes < this.#options.quorum) return;
    this.#isOver = true;
    this.#options.onWon();
  }
}
