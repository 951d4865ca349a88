import type { MethodDefinition } from "@grpc/grpc-js";
import {
  type Clock,
  Closable,
  type CloseOptions,
  Drain,
  EventHub,
  type Subscription,
  saidBy,
} from "../core/index.js";
import type * as wire from "../gen/raftpb/raft.js";
import { RaftServiceService } from "../gen/raftpb/raft.js";
import { type SplitAppend, splitAppend } from "./append-parts.js";
import { encodeEntries } from "./command-codec.js";
import { snapshotBytes } from "./encoded-size.js";
import { FailurePacing } from "./failure-pacing.js";
import { localFailure, unsentFailure } from "./local-failure.js";
import { entryTooLarge, partFailure } from "./part-failure.js";
import * as convert from "./raft-convert.js";
import type {
  AppendEntriesRequest,
  AppendEntriesResponse,
  CommandCodec,
  InstallSnapshotRequest,
  InstallSnapshotResponse,
  RequestVoteRequest,
  RequestVoteResponse,
} from "./raft-messages.js";
import type { PeerFailure, PeerResult, RaftPeer, TermListener } from "./raft-peer.js";
import type { ResolvedLinkedPeerOptions } from "./raft-peer-options.js";
import { transferMs } from "./transfer-time.js";
import type { UnaryLink } from "./unary-link.js";

/** What a peer works with beside its link and options. */
export interface PeerParts<Command> {
  readonly clock: Clock;
  readonly codec: CommandCodec<Command>;
  /** Default `splitAppend`; tests show what happens without it. */
  readonly split?: SplitAppend;
}

/** One method, and how its answer is read. */
interface Rpc<Message, WireReply, Reply> {
  readonly definition: MethodDefinition<Message, WireReply>;
  readonly fromWire: (message: WireReply) => Reply;
}

const VOTE: Rpc<wire.RequestVoteRequest, wire.RequestVoteResponse, RequestVoteResponse> = {
  definition: RaftServiceService.requestVote,
  fromWire: convert.requestVoteResponseFromWire,
};
const APPEND: Rpc<wire.AppendEntriesRequest, wire.AppendEntriesResponse, AppendEntriesResponse> = {
  definition: RaftServiceService.appendEntries,
  fromWire: convert.appendEntriesResponseFromWire,
};
const SNAPSHOT: Rpc<wire.InstallSnapshotRequest, wire.InstallSnapshotResponse, InstallSnapshotResponse> = {
  definition: RaftServiceService.installSnapshot,
  fromWire: convert.installSnapshotResponseFromWire,
};

/** A `RaftPeer` over any link. Use `createRaftPeer`, or `createRaftPeerOver`. */
export class LinkedPeer<Command> extends Closable implements RaftPeer<Command> {
  readonly address: string;
  readonly #link: UnaryLink;
  readonly #options: ResolvedLinkedPeerOptions;
  readonly #clock: Clock;
  readonly #codec: CommandCodec<Command>;
  readonly #split: SplitAppend;
  readonly #pacing: FailurePacing;
  readonly #terms = new EventHub<{ readonly term: number }>();
  #highestTerm = 0;
  #running = 0;
  readonly #drain: Drain;

  constructor(link: UnaryLink, options: ResolvedLinkedPeerOptions, parts: PeerParts<Command>) {
    super();
    this.address = link.address;
    this.#link = link;
    this.#options = options;
    this.#clock = parts.clock;
    this.#drain = new Drain(parts.clock);
    this.#codec = parts.codec;
    this.#split = parts.split ?? splitAppend;
    this.#pacing = new FailurePacing(parts.clock, options.minFailureMs);
  }

  requestVote(request: RequestVoteRequest): Promise<PeerResult<RequestVoteResponse>> {
    return this.#perform(
      () => convert.requestVoteRequestToWire(objectOf(request)),
      (message) => this.#ask(VOTE, message, this.#options.voteTimeoutMs),
    );
  }

  appendEntries(request: AppendEntriesRequest<Command>): Promise<PeerResult<AppendEntriesResponse>> {
    return this.#perform(
      () => {
        const entries = encodeEntries(arrayOf(objectOf(request).entries), this.#codec);
        return convert.appendEntriesRequestToWire({ ...request, entries });
      },
      (message) => this.#append(message),
    );
  }

  installSnapshot(request: InstallSnapshotRequest): Promise<PeerResult<InstallSnapshotResponse>> {
    return this.#perform(
      () => convert.installSnapshotRequestToWire(objectOf(request)),
      (message) => this.#install(message),
    );
  }

  onTerm(listener: TermListener): Subscription {
    return this.#terms.subscribe(({ term }) => listener(term, this.address));
  }

  protected override async onClose({ drainMs = 0 }: CloseOptions): Promise<void> {
    if (drainMs > 0 && this.#running > 0) await this.#drain.wait(drainMs, () => this.#drain.over());
    await this.#end();
  }

  protected override onDestroy(): void {
    // Calls that this ends also end a drain.
    void this.#end();
  }

  /** From request to result, whatever happens: encoded first, and failures are told in good time. */
  async #perform<Message, Reply>(
    encode: () => Message,
    send: (message: Message) => Promise<PeerResult<Reply>> | PeerFailure,
  ): Promise<PeerResult<Reply>> {
    const startedAt = this.#clock.now();
    const wasClosed = this.isClosed;
    this.#running++;
    let result: PeerResult<Reply>;
    try {
      result = wasClosed
        ? unsentFailure("closed", `the peer ${this.address} is closed`)
        : await this.#encodeAndSend(encode, send);
    } catch (error) {
      // A link that throws: what it did before nobody knows.
      const details = `the call to ${this.address} failed: ${saidBy(error)}`;
      result = localFailure("invalid", details, 0, { processed: "maybe" });
    }
    const timed = { ...result, ms: this.#clock.now() - startedAt };
    this.#running--;
    if (this.#running === 0) this.#drain.over();
    // A call that closing the peer has ended is told at once; a caller that goes on calling is not.
    if (!timed.ok && this.isClosed === wasClosed) await this.#pacing.hold(startedAt);
    return timed;
  }

  #encodeAndSend<Message, Reply>(
    encode: () => Message,
    send: (message: Message) => Promise<PeerResult<Reply>> | PeerFailure,
  ): Promise<PeerResult<Reply>> | PeerFailure {
    let message: Message;
    try {
      message = encode();
    } catch (error) {
      return localFailure("invalid", `the request to ${this.address} cannot be encoded: ${saidBy(error)}`);
    }
    return send(message);
  }

  async #append(message: wire.AppendEntriesRequest): Promise<PeerResult<AppendEntriesResponse>> {
    const { maxAppendBytes, appendPartBytes, appendTimeoutMs, appendMinBytesPerSecond } = this.#options;
    const split = this.#split(message, maxAppendBytes, appendPartBytes);
    if (!split.ok) return entryTooLarge(split, this.address, maxAppendBytes);
    const { parts } = split;
    for (let position = 0; ; position++) {
      const part = parts[position] as wire.AppendEntriesRequest;
      const bytes = part.entries.reduce((sum, { command }) => sum + command.length, 0);
      const result = await this.#ask(
        APPEND,
        part,
        appendTimeoutMs + transferMs(bytes, appendMinBytesPerSecond),
      );
      if (!result.ok) return partFailure(result, parts, position);
      if (!result.reply.success || position === parts.length - 1) return result;
    }
  }

  #install(message: wire.InstallSnapshotRequest): Promise<PeerResult<InstallSnapshotResponse>> | PeerFailure {
    const { maxSnapshotBytes, snapshotTimeoutMs, snapshotMinBytesPerSecond } = this.#options;
    const bytes = snapshotBytes(message);
    if (bytes > maxSnapshotBytes) {
      const details = `a snapshot for ${this.address} takes ${bytes} bytes; maxSnapshotBytes allows ${maxSnapshotBytes}`;
      return localFailure("too-large", details);
    }
    return this.#ask(SNAPSHOT, message, snapshotTimeoutMs + transferMs(bytes, snapshotMinBytesPerSecond));
  }

  #ask<Message, WireReply, Reply extends { readonly term: number }>(
    { definition, fromWire }: Rpc<Message, WireReply, Reply>,
    message: Message,
    timeoutMs: number,
  ): Promise<PeerResult<Reply>> {
    return new Promise((resolve) => {
      this.#link.call(definition, message, timeoutMs, (result) => {
        if (!result.ok) return resolve(result);
        let reply: Reply;
        try {
          reply = fromWire(result.response);
        } catch (error) {
          this.#noteWireTerm(result.response);
          const details = `the reply of ${this.address} cannot be taken: ${saidBy(error)}`;
          return resolve(localFailure("malformed", details));
        }
        this.#noteTerm(reply.term);
        resolve({ ok: true, reply, ms: result.ms });
      });
    });
  }

  /** Of a reply that cannot be taken for another of its fields. */
  #noteWireTerm(response: unknown): void {
    const term = Number(Reflect.get(Object(response), "term"));
    if (Number.isSafeInteger(term)) this.#noteTerm(term);
  }

  #noteTerm(term: number): void {
    if (term <= this.#highestTerm) return;
    this.#highestTerm = term;
    this.#terms.emit({ term });
  }

  #end(): Promise<void> {
    this.#pacing.release();
    return this.#link.close();
  }
}

function objectOf<T extends object>(request: T): T {
  if (typeof request === "object" && request !== null) return request;
  throw new RangeError(`it is ${request === null ? "null" : typeof request}; allowed: an object`);
}

function arrayOf<T>(entries: readonly T[]): readonly T[] {
  if (Array.isArray(entries)) return entries;
  throw new RangeError(`entries is of type ${typeof entries}; allowed: an array`);
}
