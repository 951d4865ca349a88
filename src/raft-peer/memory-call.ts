import type { Reason, Timer } from "../core/index.js";
import { saidBy } from "../core/index.js";
import { sentFailure } from "./memory-failure.js";
import { drawFate, drawUnreachableMs, type MemoryFate } from "./memory-fate.js";
import type { MemoryReply, MemoryServer } from "./memory-server.js";
import type { MemoryState } from "./memory-state.js";
import type { FailureKind, LinkResult } from "./unary-link.js";

/** Somebody waits for this timer, so the process must not end before it. */
const AWAITED = { keepAlive: true };

/** Which way a call goes, and what is called when none of its messages is under way any more. */
export interface MemoryRoute {
  readonly from: string;
  readonly to: string;
  readonly onOver: (call: MemoryCall) => void;
}

/** Of a method's definition, what is needed once the request is encoded. */
interface CalledMethod<Response> {
  readonly path: string;
  responseDeserialize(bytes: Buffer): Response;
}

/**
 * One call, from its request's departure until the caller has heard and no copy of the request is under way. The two
 * ends are independent: a request that has left arrives, and runs, also after its caller gave up.
 */
// biome-ignore lint/suspicious/noExplicitAny: a link keeps calls of all methods together.
export class MemoryCall<Response = any> {
  readonly #state: MemoryState;
  readonly #route: MemoryRoute;
  readonly #method: CalledMethod<Response>;
  readonly #request: Buffer;
  readonly #id: number;
  readonly #startedAt: number;
  /** Null once the caller has heard. */
  #done: ((result: LinkResult<Response>) => void) | null;
  /** Ends the caller's wait. */
  #wait: Timer | null = null;
  #requestTimer: Timer | null = null;
  #replyTimer: Timer | null = null;

  constructor(
    state: MemoryState,
    route: MemoryRoute,
    method: CalledMethod<Response>,
    request: Buffer,
    done: (result: LinkResult<Response>) => void,
  ) {
    this.#state = state;
    this.#route = route;
    this.#method = method;
    this.#request = request;
    this.#done = done;
    this.#startedAt = state.clock.now();
    this.#id = ++state.calls;
    state.bytes += request.length;
  }

  start(timeoutMs: number): void {
    const { clock, random, options, servers, topology } = this.#state;
    const { from, to } = this.#route;
    const server = servers.get(to);
    if (server === undefined || !topology.canPass(from, to)) {
      this.#trace("has no way");
      this.#awaitFailure(drawUnreachableMs(options.longDelays, random), timeoutMs);
      return;
    }
    const fate = drawFate(options, random);
    this.#wait = clock.setTimer(() => this.#timeOut(timeoutMs), timeoutMs, AWAITED);
    this.#trace("leaves", this.#request.length);
    if (fate.isRequestLost) this.#trace("request lost");
    else this.#deliver(server, fate, fate.requestDelayMs, false);
  }

  /** Ends the caller's wait; what was sent is not called back. */
  cancel(): void {
    this.#endSoon("CANCELLED", "cancelled by the caller");
  }

  /** Ends the caller's wait and takes what is under way off the network. */
  drop(): void {
    this.#requestTimer?.cancel();
    this.#requestTimer = null;
    this.#endSoon("CLIENT_CLOSED", "the link was closed");
    this.#checkOver();
  }

  /** One timer only: that of what comes first. */
  #awaitFailure(delayMs: number, timeoutMs: number): void {
    const { to } = this.#route;
    const isInTime = delayMs < timeoutMs;
    const end = () =>
      isInTime ? this.#fail("unreachable", `${to} could not be reached`) : this.#timeOut(timeoutMs);
    this.#wait = this.#state.clock.setTimer(end, isInTime ? delayMs : timeoutMs, AWAITED);
  }

  #timeOut(timeoutMs: number): void {
    this.#fail("timeout", `no answer from ${this.#route.to} within ${timeoutMs} ms`);
  }

  #deliver(server: MemoryServer, fate: MemoryFate, delayMs: number, isDuplicate: boolean): void {
    const arrive = () => {
      this.#requestTimer = null;
      this.#arrive(server, fate, isDuplicate);
      this.#checkOver();
    };
    this.#requestTimer = this.#state.clock.setTimer(arrive, delayMs, { keepAlive: !isDuplicate });
  }

  #arrive(server: MemoryServer, fate: MemoryFate, isDuplicate: boolean): void {
    const { from, to } = this.#route;
    if (!isDuplicate && fate.duplicateDelayMs !== null)
      this.#deliver(server, fate, fate.duplicateDelayMs, true);
    if (server.isGone || !this.#state.topology.canPass(from, to))
      return this.#trace("request lost on its way");
    this.#trace(isDuplicate ? "arrives again" : "arrives");
    this.#state.countArrival(to);
    const running = server.run(this.#method.path, this.#request);
    if (!isDuplicate) void running.then((reply) => this.#reply(server, fate, reply));
  }

  #reply(server: MemoryServer, fate: MemoryFate, reply: MemoryReply): void {
    if (this.#done === null) return this.#trace("reply too late");
    if (!this.#canReturn(server)) return;
    if (fate.isReplyLost) return this.#trace("reply lost");
    if (fate.replyDelayMs === 0) return this.#hear(reply);
    this.#trace("reply delayed");
    const arrive = () => {
      if (this.#canReturn(server)) this.#hear(reply);
    };
    this.#replyTimer = this.#state.clock.setTimer(arrive, fate.replyDelayMs, AWAITED);
  }

  #canReturn(server: MemoryServer): boolean {
    const { from, to } = this.#route;
    if (!server.isGone && this.#state.topology.canPass(to, from)) return true;
    this.#trace(server.isGone ? "reply suppressed" : "reply lost on its way");
    return false;
  }

  #hear(reply: MemoryReply): void {
    if (!(reply instanceof Uint8Array)) {
      return this.#fail("rejected", `${this.#route.to} answered: ${reply.details}`, { code: reply.code });
    }
    const { maxMessageBytes } = this.#state.options;
    this.#state.bytes += reply.length;
    if (reply.length > maxMessageBytes) {
      const details = `the response of ${this.#route.to} has ${reply.length} bytes, allowed are ${maxMessageBytes}`;
      return this.#fail("too-large", details, { processed: "maybe" });
    }
    let response: Response;
    try {
      response = this.#method.responseDeserialize(reply as Buffer);
    } catch (error) {
      return this.#fail("malformed", `the response of ${this.#route.to} cannot be decoded: ${saidBy(error)}`);
    }
    this.#end({ ok: true, response, ms: this.#elapsedMs() });
  }

  #fail(kind: FailureKind, details: string, said: Parameters<typeof sentFailure>[4] = {}): void {
    this.#end(sentFailure(kind, this.#route.to, details, this.#elapsedMs(), said));
  }

  /** For an end that somebody asks for: he must not be called back from within his own request. */
  #endSoon(reason: Reason, details: string): void {
    if (this.#done === null) return;
    const failure = sentFailure("closed", this.#route.to, details, this.#elapsedMs(), { reason });
    this.#end(failure, true);
  }

  #end(result: LinkResult<Response>, isSoon = false): void {
    const done = this.#done;
    if (done === null) return;
    this.#done = null;
    this.#wait?.cancel();
    this.#replyTimer?.cancel();
    this.#trace(result.ok ? "ok" : result.kind);
    this.#checkOver();
    if (isSoon) queueMicrotask(() => done(result));
    else done(result);
  }

  #checkOver(): void {
    if (this.#done === null && this.#requestTimer === null) this.#route.onOver(this);
  }

  #elapsedMs(): number {
    return this.#state.clock.now() - this.#startedAt;
  }

  #trace(event: string, bytes?: number): void {
    const { trace, clock } = this.#state;
    if (trace === null) return;
    const { from, to } = this.#route;
    const method = this.#method.path.slice(this.#method.path.lastIndexOf("/") + 1);
    const size = bytes === undefined ? "" : ` ${bytes} B`;
    trace(`${clock.now()} #${this.#id} ${from}>${to} ${method} ${event}${size}`);
  }
}
