import type { ChannelEvent } from "../../src/index.js";

/** What a client did with one endpoint. Instants are monotonic ms. */
export interface EndpointUse {
  readonly addedAt: number;
  /** Of the first attempt that went there. */
  readonly usedAt: number | null;
  readonly removedAt: number | null;
  /** Attempts sent there before it was removed, and after. */
  readonly picks: number;
  readonly picksAfterRemoval: number;
}

type Noted = { -readonly [Key in keyof EndpointUse]: EndpointUse[Key] };

interface Waiter {
  readonly isOver: () => boolean;
  readonly resolve: () => void;
}

/** More than any change needs, also one that is not believed for 30 s as its source has failed before. */
const GIVE_UP_MS = 60_000;

/** Which endpoints a client got, and when it used them; addresses are expected not to come back. */
export class EndpointLog {
  readonly #uses = new Map<string, Noted>();
  readonly #waiters = new Set<Waiter>();
  /** Questions to a source that failed. */
  failures = 0;
  /** Losses that were not believed at once. */
  held = 0;

  readonly hear = (event: ChannelEvent, at = performance.now()): void => {
    if (event.type === "resolver.endpoints") {
      for (const address of event.added) this.#add(address, at);
      for (const address of event.removed) this.#remove(address, at);
    } else if (event.type === "call.picked") this.#pick(event.endpoint, at);
    else if (event.type === "resolver.failed") this.failures++;
    else if (event.type === "resolver.held") this.held++;
    else return;
    for (const waiter of [...this.#waiters]) if (waiter.isOver()) waiter.resolve();
  };

  use(address: string): EndpointUse | undefined {
    return this.#uses.get(address);
  }

  /** Resolves once an attempt has gone to each of them. @throws Error naming those to which none does */
  async used(addresses: readonly string[]): Promise<void> {
    await this.#wait("attempt at", addresses, (use) => use !== undefined && use.usedAt !== null);
  }

  /** Resolves once none of them is an endpoint any more. @throws Error naming those that stay */
  async removed(addresses: readonly string[]): Promise<void> {
    await this.#wait("removal of", addresses, (use) => use === undefined || use.removedAt !== null);
  }

  /** Looked at after each event. */
  async #wait(
    what: string,
    addresses: readonly string[],
    isDone: (use: Noted | undefined) => boolean,
  ): Promise<void> {
    const missing = (): string[] => addresses.filter((address) => !isDone(this.#uses.get(address)));
    if (missing().length === 0) return;
    await new Promise<void>((resolve, reject) => {
      const waiter: Waiter = {
        isOver: () => missing().length === 0,
        resolve: () => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve();
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`no ${what} ${missing().join(", ")} within ${GIVE_UP_MS} ms`));
      }, GIVE_UP_MS);
      this.#waiters.add(waiter);
    });
  }

  #add(address: string, at: number): void {
    this.#uses.set(address, { addedAt: at, usedAt: null, removedAt: null, picks: 0, picksAfterRemoval: 0 });
  }

  #remove(address: string, at: number): void {
    const use = this.#uses.get(address);
    if (use !== undefined) use.removedAt = at;
  }

  #pick(address: string, at: number): void {
    const use = this.#uses.get(address);
    if (use === undefined) return;
    use.usedAt ??= at;
    if (use.removedAt === null) use.picks++;
    else use.picksAfterRemoval++;
  }
}
