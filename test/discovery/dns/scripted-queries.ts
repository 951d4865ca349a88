import type { AddressRecord, DnsQueries, ServiceRecord } from "../../../src/discovery/dns/dns-queries.js";

type Records = readonly AddressRecord[] | readonly ServiceRecord[];

/** DNS servers under the test's control: what a question such as `A users` brings, from the next time on. */
export class ScriptedQueries implements DnsQueries {
  /** The questions, in order. */
  readonly asked: string[] = [];
  isCancelled = false;
  /** Questions that are not answered yet, and the most there have been. */
  pending = 0;
  mostPending = 0;
  readonly #replies = new Map<string, Records | Error>();
  readonly #held: (() => void)[] = [];
  #isHolding = false;
  /** What waits for an answer to a question that is dropped. */
  readonly #dropped = new Map<string, (() => void)[]>();

  a(host: string, addresses: readonly string[], ttl = 60): this {
    return this.#set(`A ${host}`, records(addresses, ttl));
  }

  aaaa(host: string, addresses: readonly string[], ttl = 60): this {
    return this.#set(`AAAA ${host}`, records(addresses, ttl));
  }

  srv(name: string, ...services: (Partial<ServiceRecord> & { readonly name: string })[]): this {
    const full = services.map((service) => ({ port: 50051, priority: 0, weight: 0, ...service }));
    return this.#set(`SRV ${name}`, full);
  }

  /** @param code as Node names it, such as ESERVFAIL */
  fail(question: string, code: string): this {
    return this.#set(question, dnsError(code));
  }

  /** Does not answer this question, as if it had not come, until `answer`. */
  drop(question: string): this {
    this.#dropped.set(question, []);
    return this;
  }

  /** Answers this question as often as it was put since `drop`, and from now on. */
  answer(question: string): void {
    const waiting = this.#dropped.get(question) ?? [];
    this.#dropped.delete(question);
    for (const resolve of waiting) resolve();
  }

  /** Answers nothing until `release`. */
  hold(): this {
    this.#isHolding = true;
    return this;
  }

  release(): void {
    this.#isHolding = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  count(question: string): number {
    return this.asked.filter((asked) => asked === question).length;
  }

  ipv4(host: string): Promise<readonly AddressRecord[]> {
    return this.#ask(`A ${host}`) as Promise<readonly AddressRecord[]>;
  }

  ipv6(host: string): Promise<readonly AddressRecord[]> {
    return this.#ask(`AAAA ${host}`) as Promise<readonly AddressRecord[]>;
  }

  services(name: string): Promise<readonly ServiceRecord[]> {
    return this.#ask(`SRV ${name}`) as Promise<readonly ServiceRecord[]>;
  }

  cancel(): void {
    this.isCancelled = true;
  }

  #set(question: string, reply: Records | Error): this {
    this.#replies.set(question, reply);
    return this;
  }

  async #ask(question: string): Promise<Records> {
    this.asked.push(question);
    this.mostPending = Math.max(this.mostPending, ++this.pending);
    if (this.#isHolding) await new Promise<void>((resolve) => this.#held.push(resolve));
    const dropped = this.#dropped.get(question);
    if (dropped !== undefined) await new Promise<void>((resolve) => dropped.push(resolve));
    await undefined;
    this.pending--;
    const reply = this.#replies.get(question) ?? dnsError("ENOTFOUND");
    if (reply instanceof Error) throw reply;
    return reply;
  }
}

export function dnsError(code: string): Error {
  return Object.assign(new Error(`scripted: ${code}`), { code });
}

function records(addresses: readonly string[], ttl: number): readonly AddressRecord[] {
  return addresses.map((address) => ({ address, ttl }));
}
