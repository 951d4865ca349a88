import * as grpc from "@grpc/grpc-js";
import {
  type HedgingInterceptorOptions,
  hedgingInterceptor,
  type RepeatCollaborators,
  type RetryInterceptorOptions,
  retryInterceptor,
} from "holdfast";
import { ManualClock } from "../../support/manual-clock.js";
import { fixedRandom } from "../../support/seeded-random.js";
import {
  type FakeBelow,
  FakeTransport,
  type StartArgs,
  startThrough,
  unaryThrough,
} from "../plain/fake-below.js";

export const { UNAVAILABLE, CANCELLED, DEADLINE_EXCEEDED, INVALID_ARGUMENT, INTERNAL, OK } = grpc.status;
/** What most tests of retries need: methods that may be repeated, and no bucket that another test could empty. */
export const IDEMPOTENT = { idempotent: true, throttle: false } as const;

export interface LogLine {
  readonly level: string;
  readonly line: Record<string, unknown>;
  readonly message: string;
}

/** A retry or hedging interceptor over a fake transport, on a clock that the test moves. */
export class FakeScene {
  readonly clock = new ManualClock();
  readonly below = new FakeTransport();
  readonly lines: LogLine[] = [];
  readonly log = {
    info: (line: object, message: string) =>
      void this.lines.push({ level: "info", line: { ...line }, message }),
    warn: (line: object, message: string) =>
      void this.lines.push({ level: "warn", line: { ...line }, message }),
  };
  #interceptor!: grpc.Interceptor;

  /** Jitter is none unless the options say otherwise: the random source stands in the middle. */
  static retry(options: RetryInterceptorOptions = {}, more: RepeatCollaborators = {}): FakeScene {
    const scene = new FakeScene();
    scene.#interceptor = retryInterceptor(options, scene.#collaborators(more));
    return scene;
  }

  /** All methods are idempotent unless the options say otherwise. */
  static hedging(options: HedgingInterceptorOptions = {}, more: RepeatCollaborators = {}): FakeScene {
    const scene = new FakeScene();
    scene.#interceptor = hedgingInterceptor({ idempotent: true, ...options }, scene.#collaborators(more));
    return scene;
  }

  get interceptor(): grpc.Interceptor {
    return this.#interceptor;
  }

  /** Attempts made so far. */
  get attempts(): number {
    return this.below.calls.length;
  }

  attempt(number: number): FakeBelow {
    const call = this.below.calls[number - 1];
    if (call === undefined) throw new Error(`attempt ${number} was not made; there are ${this.attempts}`);
    return call;
  }

  /** What the attempts sent as `grpc-previous-rpc-attempts`. */
  get previousAttempts(): (string | undefined)[] {
    return this.below.calls.map(({ metadata }) => metadata.get("grpc-previous-rpc-attempts")[0]?.toString());
  }

  get messages(): string[] {
    return this.lines.map(({ message }) => message);
  }

  unary(args: StartArgs = {}): ReturnType<typeof startThrough> {
    return unaryThrough(this.#interceptor, this.below, args);
  }

  start(args: StartArgs = {}): ReturnType<typeof startThrough> {
    return startThrough(this.#interceptor, this.below, args);
  }

  /** Fails the last attempt, and lets the consequences of the same instant happen. */
  async fail(code: grpc.status = UNAVAILABLE, details = "down", trailers: Record<string, string> = {}) {
    this.below.last.end(code, details, { metadata: serverMetadata(trailers) });
    await this.clock.advance(0);
  }

  #collaborators(more: RepeatCollaborators): RepeatCollaborators {
    return { clock: this.clock, random: fixedRandom(0.5), log: this.log, ...more };
  }
}

/** As on a status that a server sent, which has its content type at least. */
export function serverMetadata(entries: Record<string, string> = {}): grpc.Metadata {
  const metadata = new grpc.Metadata();
  for (const [key, value] of Object.entries({ "content-type": "application/grpc+proto", ...entries })) {
    metadata.set(key, value);
  }
  return metadata;
}

/** A service definition of one method. */
export function serviceOf(method: { path: string; options?: object }): grpc.ServiceDefinition {
  return { method: method as grpc.MethodDefinition<unknown, unknown> };
}

/** Of a unary method, without any options. */
export function definitionOf(path: string): grpc.InterceptorOptions["method_definition"] {
  const kind = { requestStream: false, responseStream: false };
  return { path, ...kind, requestSerialize: () => Buffer.alloc(0), responseDeserialize: () => ({}) };
}
