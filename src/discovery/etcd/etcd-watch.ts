import type { Clock, Random, RpcStream, Timer } from "../../core/index.js";
import {
  type Event,
  ResponseHeader,
  WatchRequest,
  type WatchResponse,
  WatchService,
} from "../../gen/etcdserverpb/rpc.js";
import type { EtcdClient } from "./etcd-client.js";
import { isTokenRefused } from "./etcd-errors.js";
import { boundsOf } from "./etcd-range.js";

const JITTER_RATIO = 0.1;
/** etcd catches a watch up, or finds that it cannot, ten times a second, and some versions give no sign of life before. */
const CATCH_UP_MS = 500;

/** What one watch has to tell. Never called from inside `start` or `close`. */
export interface EtcdWatchListener {
  /** It is up; the header says how far its member has got. Events may follow, or the news that they are gone. */
  onCreated(header: ResponseHeader): void;
  /** Everything that happened up to `revision`, since the last time. */
  onEvents(events: readonly Event[], revision: bigint): void;
  /** It has proved to be alive, and nothing has happened that is not told. */
  onAlive(): void;
  /** It is over, once. */
  onEnd(end: EtcdWatchEnd): void;
}

/** Why a watch is over: the events it asks for are gone, or something failed. */
export type EtcdWatchEnd =
  | { readonly kind: "compacted" }
  | { readonly kind: "failed"; readonly error: Error };

export interface EtcdWatchOptions {
  /** How long etcd may take to set the watch up, and to prove that it is alive, in milliseconds. */
  readonly answerMs: number;
  /** After so long without a message the watch has to prove that it is alive, in milliseconds, +-10 %. */
  readonly silenceMs: number;
}

/**
 * One watch over the keys under a prefix, on a stream of its own. A stream whose peer is gone without a word looks like one
 * on which nothing happens, so silence is asked for a sign of life (etcd 3.4 and later answer it).
 */
export class EtcdWatch {
  #stream: RpcStream<WatchRequest> | null = null;
  #timer: Timer | null = null;
  #isResumed = false;
  #isCreated = false;
  #isOver = false;
  /** Of an answer in several messages, those that came. */
  #fragments: Event[] = [];

  constructor(
    private readonly client: EtcdClient,
    private readonly prefix: string,
    private readonly deps: { readonly clock: Clock; readonly random: Random },
    private readonly options: EtcdWatchOptions,
    private readonly listener: EtcdWatchListener,
  ) {}

  /** True from when etcd has set it up until its end. */
  get isUp(): boolean {
    return this.#isCreated && !this.#isOver;
  }

  /**
   * @param from the first revision whose events are wanted
   * @param isResumed true to have it prove soon that it has caught up
   */
  start(from: bigint, isResumed: boolean): void {
    this.#isResumed = isResumed;
    const { clock } = this.deps;
    const { answerMs } = this.options;
    const late = new Error(`etcd did not set up the watch of ${this.#keys} within ${answerMs} ms`);
    this.#timer = clock.setTimer(() => this.#failSilent(late), answerMs);
    void this.#open(from, clock.now() + answerMs);
  }

  /** Says no more. May be called again. */
  close(): void {
    this.#isOver = true;
    this.#timer?.cancel();
    this.#stream?.cancel();
    this.#stream = null;
    this.#fragments = [];
  }

  async #open(startRevision: bigint, untilMs: number): Promise<void> {
    const hearing = {
      onMessage: (response: WatchResponse) => this.#onResponse(response),
      onEnd: (error: Error | null) => this.#onStreamEnd(error),
    };
    try {
      const stream = await this.client.stream(WatchService.watch, hearing, untilMs);
      if (this.#isOver) {
        stream.cancel();
        return;
      }
      this.#stream = stream;
      const createRequest = { ...boundsOf(this.prefix), startRevision, fragment: true };
      stream.send(WatchRequest.create({ createRequest }));
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #onResponse(response: WatchResponse): void {
    if (response.canceled) {
      this.#onCanceled(response);
      return;
    }
    this.#waitForSilence(response.created && this.#isResumed ? CATCH_UP_MS : this.options.silenceMs);
    if (response.created) {
      this.#isCreated = true;
      this.listener.onCreated(response.header ?? ResponseHeader.create());
      if (response.events.length === 0) return;
    }
    this.#onChanges(response);
  }

  #onChanges({ events, fragment }: WatchResponse): void {
    if (this.#isOver) return;
    const all = this.#fragments.length === 0 ? events : [...this.#fragments, ...events];
    this.#fragments = fragment ? all : [];
    if (fragment) return;
    if (all.length === 0) {
      this.listener.onAlive();
      return;
    }
    // Not the header's: before etcd 3.4.25 and 3.5.8 it may be ahead of events that are still to come.
    const revision = all.reduce((newest, { kv }) => max(newest, kv?.modRevision ?? 0n), 0n);
    this.listener.onEvents(all, revision);
  }

  #onCanceled({ compactRevision, cancelReason }: WatchResponse): void {
    if (compactRevision > 0n) {
      this.#end({ kind: "compacted" });
      return;
    }
    // A stream has its token from its beginning, and etcd says of one that it does not know the same as of a lack of rights.
    this.client.forgetToken();
    this.#fail(new Error(`etcd ended the watch of ${this.#keys}: ${cancelReason || "it gave no reason"}`));
  }

  #onStreamEnd(error: Error | null): void {
    if (error !== null && isTokenRefused(error)) this.client.forgetToken();
    const why = error === null ? "etcd closed its stream" : error.message;
    this.#fail(new Error(`the watch of ${this.#keys} broke: ${why}`, { cause: error }));
  }

  /** Every message shows that the stream is alive. */
  #waitForSilence(silenceMs: number): void {
    const { clock, random } = this.deps;
    this.#timer?.cancel();
    const jitter = 1 - JITTER_RATIO + 2 * JITTER_RATIO * random.next();
    this.#timer = clock.setTimer(() => this.#askForLife(), silenceMs * jitter);
  }

  #askForLife(): void {
    const { answerMs } = this.options;
    const dead = new Error(`the watch of ${this.#keys} fell silent: no sign of life within ${answerMs} ms`);
    this.#timer = this.deps.clock.setTimer(() => this.#failSilent(dead), answerMs);
    this.#stream?.send(WatchRequest.create({ progressRequest: {} }));
  }

  /** Of the silent: closed first, so that it does not hear of the end of its own channel. */
  #failSilent(error: Error): void {
    this.#stream?.cancel();
    this.client.reconnect();
    this.#fail(error);
  }

  #fail(error: Error): void {
    this.#end({ kind: "failed", error });
  }

  #end(end: EtcdWatchEnd): void {
    if (this.#isOver) return;
    this.close();
    this.listener.onEnd(end);
  }

  get #keys(): string {
    return JSON.stringify(`${this.prefix}/`);
  }
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
