import { once } from "node:events";
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A question to Consul, and what became of it. Instants are monotonic ms. */
export interface ConsulQuestion {
  /** With its query. */
  readonly path: string;
  readonly askedAt: number;
  /** Null until a whole answer was passed on, and for ever where none came. */
  readonly answeredAt: number | null;
  readonly status: number | null;
  readonly index: number | null;
  /** `host:port` of the services in an answer about a service. */
  readonly addresses: readonly string[];
}

type Noted = { -readonly [Key in keyof ConsulQuestion]: ConsulQuestion[Key] };

/**
 * Stands before a Consul and writes down what it is asked and what it answers. While nobody listens behind it, it resets
 * every connection; a frozen Consul keeps the question.
 */
export class ConsulProxy {
  readonly #questions: Noted[] = [];
  readonly #server: Server;

  /** @param consul `host:port`, looked at for each question */
  private constructor(consul: () => string) {
    this.#server = createServer((question, answer) => this.#pass(consul(), question, answer));
  }

  static async start(consul: string | (() => string)): Promise<ConsulProxy> {
    const proxy = new ConsulProxy(typeof consul === "string" ? () => consul : consul);
    proxy.#server.listen(0, "127.0.0.1");
    await once(proxy.#server, "listening");
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** In the order in which they came. */
  get questions(): readonly ConsulQuestion[] {
    return this.#questions;
  }

  /** Questions since then that nobody has answered yet, or ever will. */
  unansweredSince(at: number): number {
    return this.#questions.filter(({ askedAt, answeredAt }) => askedAt >= at && answeredAt === null).length;
  }

  /** When an answer since then first named the address; null where none did. */
  firstWith(address: string, since: number): number | null {
    return this.#firstAnswer(since, ({ addresses }) => addresses.includes(address));
  }

  /** When an answer since then was the first without the address. */
  firstWithout(address: string, since: number): number | null {
    return this.#firstAnswer(since, ({ addresses }) => !addresses.includes(address));
  }

  /** Ends what is asked at the moment, and listens no more. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  #firstAnswer(since: number, says: (question: ConsulQuestion) => boolean): number | null {
    const found = this.#questions.find(
      (each) => each.answeredAt !== null && each.answeredAt >= since && each.status === 200 && says(each),
    );
    return found?.answeredAt ?? null;
  }

  #pass(consul: string, question: IncomingMessage, answer: ServerResponse): void {
    const { method = "GET", url: path = "/", headers } = question;
    const noted: Noted = {
      path,
      askedAt: performance.now(),
      answeredAt: null,
      status: null,
      index: null,
      addresses: [],
    };
    this.#questions.push(noted);
    const onward = request(`http://${consul}${path}`, { method, headers, agent: false }, (answered) => {
      const parts: Buffer[] = [];
      answered.on("data", (part: Buffer) => parts.push(part));
      answered.on("error", () => answer.destroy());
      answered.on("end", () => {
        const body = Buffer.concat(parts);
        noted.answeredAt = performance.now();
        noted.status = answered.statusCode ?? 0;
        noted.index = Number(answered.headers["x-consul-index"] ?? Number.NaN);
        noted.addresses = path.startsWith("/v1/health/service/") ? addressesIn(body) : [];
        answer.writeHead(noted.status, answered.headers).end(body);
      });
    });
    onward.on("error", () => answer.destroy());
    // Whoever asks no more leaves no question behind.
    answer.on("close", () => onward.destroy());
    question.pipe(onward);
  }
}

interface Entry {
  readonly Service: { readonly Address: string; readonly Port: number };
}

/** None where the answer is no list, as an error's text. */
function addressesIn(body: Buffer): string[] {
  try {
    const entries = JSON.parse(body.toString("utf8")) as readonly Entry[];
    return entries.map(({ Service }) => `${Service.Address}:${Service.Port}`);
  } catch {
    return [];
  }
}
