import type { ChannelEvent, Subscription } from "holdfast";

type EventType = ChannelEvent["type"];
type EventOf<T extends EventType> = Extract<ChannelEvent, { type: T }>;
type Fields<T extends EventType> = Partial<Omit<EventOf<T>, "type">>;

interface Waiter {
  readonly accepts: (event: ChannelEvent) => boolean;
  readonly resolve: (event: ChannelEvent) => void;
}

/** What a wait may take before it is given up; not a sleep, and far more than any event here needs. */
const GIVE_UP_MS = 8_000;

/** Everything a channel has told since this log was made, in order, and a way to wait for what it has not told yet. */
export class EventLog {
  readonly all: ChannelEvent[] = [];
  readonly #waiters = new Set<Waiter>();

  constructor(channel: { onEvent(listener: (event: ChannelEvent) => void): Subscription }) {
    channel.onEvent((event) => this.#add(event));
  }

  /** The events of one type, in order, that have these fields. */
  of<T extends EventType>(type: T, fields: Fields<T> = {}): EventOf<T>[] {
    return this.all.filter(matcher(type, fields)) as EventOf<T>[];
  }

  /** How often such an event has come. */
  count<T extends EventType>(type: T, fields: Fields<T> = {}): number {
    return this.of(type, fields).length;
  }

  /** Resolves with the nth event of this type with these fields, at once if it has come already. */
  async nth<T extends EventType>(n: number, type: T, fields: Fields<T> = {}): Promise<EventOf<T>> {
    for (;;) {
      const found = this.of(type, fields)[n - 1];
      if (found !== undefined) return found;
      await this.#wait(matcher(type, fields), `${type} ${JSON.stringify(fields)} number ${n}`);
    }
  }

  /** Resolves with the first such event, at once if it has come already. */
  first<T extends EventType>(type: T, fields: Fields<T> = {}): Promise<EventOf<T>> {
    return this.nth(1, type, fields);
  }

  /** Resolves with the first such event from now on. */
  next<T extends EventType>(type: T, fields: Fields<T> = {}): Promise<EventOf<T>> {
    return this.nth(this.count(type, fields) + 1, type, fields);
  }

  /** Resolves once every one of these endpoints has been READY. */
  async ready(...endpoints: readonly string[]): Promise<void> {
    await Promise.all(endpoints.map((endpoint) => this.first("endpoint.state", { endpoint, to: "READY" })));
  }

  /** The endpoints attempts were sent to, in order. */
  get picks(): string[] {
    return this.of("call.picked").map(({ endpoint }) => endpoint);
  }

  #add(event: ChannelEvent): void {
    this.all.push(event);
    for (const waiter of [...this.#waiters]) {
      if (waiter.accepts(event)) waiter.resolve(event);
    }
  }

  #wait(accepts: (event: ChannelEvent) => boolean, what: string): Promise<ChannelEvent> {
    return new Promise((resolve, reject) => {
      const waiter: Waiter = {
        accepts,
        resolve: (event) => {
          clearTimeout(timer);
          this.#waiters.delete(waiter);
          resolve(event);
        },
      };
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        const seen = this.all.map((event) => JSON.stringify(event)).join("\n");
        reject(new Error(`no event ${what} within ${GIVE_UP_MS} ms; there were:\n${seen}`));
      }, GIVE_UP_MS);
      this.#waiters.add(waiter);
    });
  }
}

function matcher<T extends EventType>(type: T, fields: Fields<T>): (event: ChannelEvent) => boolean {
  const wanted = Object.entries(fields);
  return (event) => event.type === type && wanted.every(([key, value]) => Reflect.get(event, key) === value);
}
