import { type ServiceError, status } from "@grpc/grpc-js";
import { quantile, round1 } from "../shared/quantile.js";
import type { GreeterClient } from "./greeter-stub.js";

/** 200 calls a second. */
const EVERY_MS = 5;
const DEADLINE_MS = 5_000;
const FAILURE_TEXTS = 3;

export interface LoadReport {
  readonly calls: number;
  readonly failed: number;
  readonly failures: Readonly<Record<string, number>>;
  /** What the first failed calls had to say. */
  readonly failureTexts: readonly string[];
  readonly p99Ms: number;
  /** Answers, by the server that gave them. */
  readonly answers: Readonly<Record<string, number>>;
}

/** Calls at a steady rate, whatever becomes of them. */
export class Load {
  readonly #answers = new Map<string, number>();
  readonly #failures = new Map<string, number>();
  readonly #failureTexts: string[] = [];
  readonly #durations: number[] = [];
  readonly #running = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;

  constructor(private readonly greeter: GreeterClient) {
    const startedAt = performance.now();
    let made = 0;
    this.#timer = setInterval(() => {
      // Those that a busy process held up are made late, not left out.
      for (; made * EVERY_MS <= performance.now() - startedAt; made += 1) this.#call();
    }, EVERY_MS);
  }

  get calls(): number {
    return this.#durations.length;
  }

  get failed(): number {
    return [...this.#failures.values()].reduce((sum, count) => sum + count, 0);
  }

  answersOf(server: string): number {
    return this.#answers.get(server) ?? 0;
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Makes no more calls, waits for those under way, and reports. */
  async finish(): Promise<LoadReport> {
    this.stop();
    await Promise.all(this.#running);
    return {
      calls: this.calls,
      failed: this.failed,
      failures: Object.fromEntries(this.#failures),
      failureTexts: this.#failureTexts,
      p99Ms: round1(
        quantile(
          this.#durations.sort((a, b) => a - b),
          0.99,
        ),
      ),
      answers: Object.fromEntries(this.#answers),
    };
  }

  #call(): void {
    const startedAt = performance.now();
    const running = new Promise<void>((resolve) => {
      this.greeter.Hello({ name: "Consul" }, { deadline: Date.now() + DEADLINE_MS }, (error, reply) => {
        this.#durations.push(performance.now() - startedAt);
        if (error === null) this.#count(this.#answers, reply?.server ?? "");
        else this.#fail(error);
        resolve();
      });
    });
    this.#running.add(running);
    void running.then(() => this.#running.delete(running));
  }

  #fail(error: ServiceError): void {
    this.#count(this.#failures, status[error.code] ?? String(error.code));
    if (this.#failureTexts.length < FAILURE_TEXTS) this.#failureTexts.push(error.message);
  }

  #count(counts: Map<string, number>, key: string): void {
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
}
