import { type ServiceError, status } from "@grpc/grpc-js";
import type { EchoStub } from "../stacks/echo-stub.js";
import type { LoggedCall } from "./call-log.js";

const DEADLINE_MS = 2_000;
const REQUEST = Buffer.alloc(100, "x");

/** Whatever has a method of bytes and an answer of bytes. */
export interface PacedClient {
  readonly stub: Pick<EchoStub, "unary">;
}

/** Calls of each client at a steady rate, by default a hundred a second, whatever becomes of them; two seconds for each. */
export class PacedCalls {
  readonly #logs = new Map<PacedClient, LoggedCall[]>();
  readonly #running = new Set<Promise<void>>();
  #timer: NodeJS.Timeout | undefined;
  #mostLateMs = 0;

  constructor(
    private readonly clients: readonly PacedClient[],
    private readonly everyMs = 10,
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
    const startedAt = performance.now();
    let made = 0;
    this.#timer = setInterval(() => {
      this.#mostLateMs = Math.max(this.#mostLateMs, performance.now() - startedAt - made * this.everyMs);
      for (; made * this.everyMs <= performance.now() - startedAt; made++) {
        for (const client of this.clients) this.#call(client);
      }
    }, this.everyMs);
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
      const call = client.stub.unary(REQUEST, { deadline: Date.now() + DEADLINE_MS }, (error) => {
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
