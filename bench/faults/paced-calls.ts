import { type ServiceError, status } from "@grpc/grpc-js";
import type { EchoStub } from "../stacks/echo-stub.js";
import type { LoggedCall } from "./call-log.js";

const REQUEST = Buffer.alloc(100, "x");

/** Whatever has a method of bytes and an answer of bytes. */
export interface PacedClient {
  readonly stub: Pick<EchoStub, "unary">;
}

export interface CallPace {
  readonly everyMs: number;
  readonly deadlineMs: number;
}

/** Calls of each client at a steady rate, whatever becomes of them: by default a hundred a second, two seconds for each. */
export class PacedCalls {
  readonly #logs = new Map<PacedClient, LoggedCall[]>();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #mostLateMs = 0;

  constructor(
    private readonly clients: readonly PacedClient[],
    private readonly pace: CallPace = { everyMs: 10, deadlineMs: 2_000 },
  ) {}

  /** Calls of this client that have ended. */
  logOf(client: PacedClient): readonly LoggedCall[] {
    return this.#logs.get(client) ?? [];
  }

  /** The longest that this process kept a call from its time: what its clients cannot help. */
  get mostLateMs(): number {
    return this.#mostLateMs;
  }

  /** Calls from now on; those that a busy event loop held up are made late, not left out. */
  start(): void {
    const { everyMs } = this.pace;
    const startedAt = performance.now();
    let made = 0;
    this.#timer = setInterval(() => {
      this.#mostLateMs = Math.max(this.#mostLateMs, performance.now() - startedAt - made * everyMs);
      for (; made * everyMs <= performance.now() - startedAt; made++) {
        for (const client of this.clients) this.#call(client);
      }
    }, everyMs);
  }

  /** No more calls; resolves when all have ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await Promise.all(this.#running);
  }

  #call(client: PacedClient): void {
    const log = this.#logs.get(client) ?? [];
    this.#logs.set(client, log);
    const startedAt = performance.now();
    const running = new Promise<void>((resolve) => {
      const call = client.stub.unary(REQUEST, { deadline: Date.now() + this.pace.deadlineMs }, (error) => {
        log.push({ startedAt, endedAt: performance.now(), failure: wordsOf(error), peer: call.getPeer() });
        resolve();
      });
    });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }
}

function wordsOf(error: (Partial<ServiceError> & { readonly reason?: string }) | null): string | null {
  if (error === null) return null;
  return [status[error.code ?? status.UNKNOWN], error.reason].filter((word) => word !== undefined).join(" ");
}
