import { once } from "node:events";
import type { Socket } from "node:net";
import { createTCPServer, createUDPServer, Packet } from "dns2";
import { retryWhileInUse } from "./reopenable-port.js";
import { Tally } from "./tally.js";

export type RecordType = "A" | "AAAA" | "SRV" | "CNAME";

export interface SrvData {
  readonly target: string;
  readonly port: number;
  readonly priority?: number;
  readonly weight?: number;
}

/** What a name server may do instead of an answer. */
export type Refusal = "SERVFAIL" | "NXDOMAIN" | "silence";

interface Asked {
  readonly name: string;
  readonly type: RecordType;
  readonly isTcp: boolean;
}

type Data = Partial<InstanceType<typeof Packet>["answers"][number]>;
type Reply = Refusal | { readonly ttl: number; readonly records: readonly Data[] };

const RCODES: Readonly<Record<"SERVFAIL" | "NXDOMAIN", number>> = { SERVFAIL: 2, NXDOMAIN: 3 };
const IN = 1;

/**
 * A real name server on loopback, by UDP and TCP on one port. It knows what it is told, answers NXDOMAIN for a name that it
 * does not know and nothing for a type that a known name does not have; answers over 512 bytes come truncated by UDP, so
 * that a client has to ask again by TCP.
 */
export class DnsServer {
  /** Every question, in order. */
  readonly asked: Asked[] = [];
  readonly #replies = new Map<string, Reply>();
  readonly #sockets = new Set<Socket>();
  readonly #questions = new Tally("questions to the DNS server");
  readonly #udp: ReturnType<typeof createUDPServer>;
  readonly #tcp = createTCPServer();

  private constructor(private readonly host: string) {
    this.#udp = createUDPServer({ type: host.includes(":") ? "udp6" : "udp4" });
    this.#udp.on("request", (request, send) => this.#answer(request, send, false));
    this.#tcp.on("request", (request, send) => this.#answer(request, send, true));
    this.#tcp.on("connection", (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
    });
  }

  /** @param host an address of this machine */
  static start(host = "127.0.0.1"): Promise<DnsServer> {
    return retryWhileInUse(async () => {
      const server = new DnsServer(host);
      await server.#listen();
      return server;
    });
  }

  get port(): number {
    return this.#udp.address().port;
  }

  /** As a target names it. */
  get address(): string {
    return this.host.includes(":") ? `[${this.host}]:${this.port}` : `${this.host}:${this.port}`;
  }

  /** Addresses of a name from now on; TTL in seconds. */
  a(name: string, addresses: readonly string[], ttl = 60): void {
    this.#set("A", name, { ttl, records: addresses.map((address) => ({ address })) });
  }

  aaaa(name: string, addresses: readonly string[], ttl = 60): void {
    this.#set("AAAA", name, { ttl, records: addresses.map((address) => ({ address })) });
  }

  srv(name: string, records: readonly SrvData[], ttl = 60): void {
    this.#set("SRV", name, { ttl, records: records.map((data) => ({ priority: 0, weight: 0, ...data })) });
  }

  /** The name is another one's; whoever asks gets that one's records as well. */
  cname(name: string, domain: string, ttl = 60): void {
    this.#set("CNAME", name, { ttl, records: [{ domain }] });
  }

  /** Questions of this type for this name go wrong from now on. */
  fail(name: string, type: RecordType, refusal: Refusal): void {
    this.#set(type, name, refusal);
  }

  /** How often it has been asked, by name and type. */
  count(name: string, type: RecordType): number {
    return this.asked.filter((asked) => asked.name === name && asked.type === type).length;
  }

  /** Resolves once there have been that many questions, all together. */
  reached(count: number): Promise<void> {
    return this.#questions.reached(count);
  }

  async close(): Promise<void> {
    this.#questions.close();
    for (const socket of this.#sockets) socket.destroy();
    const closed = [once(this.#udp, "close"), once(this.#tcp, "close")];
    this.#udp.close();
    this.#tcp.close();
    await Promise.all(closed);
  }

  async #listen(): Promise<void> {
    await this.#udp.listen(0, this.host);
    this.#tcp.listen(this.port, this.host);
    try {
      await once(this.#tcp, "listening");
    } catch (error) {
      this.#udp.close();
      throw error;
    }
  }

  #set(type: RecordType, name: string, reply: Reply): void {
    this.#replies.set(`${type} ${name}`, reply);
  }

  #answer(request: Packet, send: (response: Packet) => Promise<Buffer>, isTcp: boolean): void {
    const [question] = request.questions;
    if (question === undefined) return;
    const name = question.name.toLowerCase();
    const type = typeName(question.type);
    this.asked.push({ name, type, isTcp });
    this.#questions.add();
    const response = Packet.createResponseFromRequest(request);
    const refusal = this.#fill(response, name, type);
    if (refusal === "silence") return;
    if (refusal !== null) response.header.rcode = RCODES[refusal];
    // The client may be gone.
    Promise.resolve(send(response)).catch(() => {});
  }

  /** Puts the records in. @returns how the question is refused, null when it is answered */
  #fill(response: Packet, name: string, type: RecordType): Refusal | null {
    const alias = this.#replies.get(`CNAME ${name}`);
    if (typeof alias === "object") {
      this.#add(response, name, "CNAME", alias);
      return this.#fill(response, alias.records[0]?.domain ?? "", type);
    }
    const reply = this.#replies.get(`${type} ${name}`);
    if (typeof reply === "string") return reply;
    if (reply !== undefined) this.#add(response, name, type, reply);
    const isKnown = [...this.#replies.keys()].some((key) => key.endsWith(` ${name}`));
    return isKnown ? null : "NXDOMAIN";
  }

  #add(response: Packet, name: string, type: RecordType, reply: Exclude<Reply, string>): void {
    for (const data of reply.records) {
      const record = { name, type: Packet.TYPE[type], class: IN, ttl: reply.ttl };
      response.answers.push(Object.assign(new Packet.Resource(record), record, data));
    }
  }
}

function typeName(type: number): RecordType {
  const names: readonly RecordType[] = ["A", "AAAA", "SRV", "CNAME"];
  return names.find((name) => Packet.TYPE[name] === type) ?? "A";
}
