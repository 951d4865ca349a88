import type { HostLookup } from "../../../src/core/index.js";

type Reply = readonly string[] | Error;

/** A name server under the test's control: it answers each lookup with the script, or when the test says so. */
export class ScriptedLookup {
  /** The hosts asked for, in order. */
  readonly asked: string[] = [];
  readonly #script: Reply[];
  readonly #waiting = new Map<number, (reply: Reply) => void>();

  /** Replies in order; lookups beyond the script wait for `answer`. */
  constructor(...script: Reply[]) {
    this.#script = script;
  }

  /** Answers every lookup alike. */
  static always(reply: Reply): ScriptedLookup {
    return new ScriptedLookup(...Array.from({ length: 100 }, () => reply));
  }

  readonly lookup: HostLookup = (host) => {
    const number = this.asked.push(host);
    return new Promise((resolve, reject) => {
      const settle = (reply: Reply) => (reply instanceof Error ? reject(reply) : resolve(reply));
      const scripted = this.#script[number - 1];
      if (scripted === undefined) this.#waiting.set(number, settle);
      else settle(scripted);
    });
  };

  /** Settles a waiting lookup by its number, the first being 1. */
  answer(number: number, reply: Reply): void {
    const settle = this.#waiting.get(number);
    if (settle === undefined) throw new Error(`lookup ${number} is not waiting`);
    this.#waiting.delete(number);
    settle(reply);
  }
}
