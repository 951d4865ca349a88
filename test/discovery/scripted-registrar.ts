import type { Registrar, ServiceHealth } from "../../src/discovery/registration.js";

/** What one call of a registry does: true or false as `keep` says it, an error to fail with, or never an answer. */
export type Act = boolean | Error | "silence";

/** A registry that does as it is told and keeps what it was asked. Without a word it does what it should. */
export class ScriptedRegistrar implements Registrar {
  readonly target = "consul://127.0.0.1:8500/users";
  readonly id = "users-1";
  readonly keepEveryMs: number;
  readonly statusProblem: string | null;
  /** `register passing`, `keep warning late today`, `deregister`, `release`; `cancelled` where one
   * hung and heard its signal. */
  readonly asked: string[] = [];
  /** What the next calls do, in order. */
  readonly acts: Act[] = [];

  constructor({ keepEveryMs = 5_000, statusProblem = null }: Partial<Registrar> = {}) {
    this.keepEveryMs = keepEveryMs;
    this.statusProblem = statusProblem;
  }

  async register(health: ServiceHealth, signal: AbortSignal): Promise<void> {
    await this.#act(`register ${told(health)}`, signal);
  }

  keep(health: ServiceHealth, signal: AbortSignal): Promise<boolean> {
    return this.#act(`keep ${told(health)}`, signal);
  }

  async deregister(signal: AbortSignal): Promise<void> {
    await this.#act("deregister", signal);
  }

  release(): void {
    this.asked.push("release");
  }

  async #act(asked: string, signal: AbortSignal): Promise<boolean> {
    this.asked.push(asked);
    const act = this.acts.shift() ?? true;
    if (act instanceof Error) throw act;
    if (act === "silence") await this.#hang(signal);
    return act === true;
  }

  #hang(signal: AbortSignal): Promise<never> {
    return new Promise((_resolve, reject) => {
      signal.addEventListener("abort", () => {
        this.asked.push("cancelled");
        reject(new Error("cancelled"));
      });
    });
  }
}

function told({ status, note }: ServiceHealth): string {
  return note === "" ? status : `${status} ${note}`;
}
