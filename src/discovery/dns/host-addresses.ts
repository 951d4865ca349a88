import { isIP } from "node:net";
import type { Clock } from "../../core/index.js";
import type { AskFamily, FamilyAnswer } from "./ask-family.js";
import { saysNone, saysNothing } from "./dns-queries.js";
import type { FamilyPatience } from "./family-patience.js";

interface Known extends FamilyAnswer {
  /** When this was asked for, monotonic ms. */
  readonly askedAt: number;
}

/** What one question brought. */
interface Reply {
  readonly hasAddresses: boolean;
  /** Undefined where it was answered. */
  readonly failure: unknown;
}

/** One look-up in all ways. */
interface Round {
  readonly askedAt: number;
  /** When the first addresses came; null before. */
  answeredAt: number | null;
  /** The ways without an answer. */
  readonly open: Set<AskFamily>;
  readonly failures: unknown[];
}

/** What the look-ups of a host need. */
export interface HostDeps {
  readonly clock: Pick<Clock, "now">;
  /** How long what was known is used while a way of asking fails; null for ever. */
  readonly maxStaleMs: number | null;
  /** That of the target, for all its hosts. */
  readonly patience: FamilyPatience;
}

/**
 * The addresses of one host, asked for in one or several ways at once: IPv4 and IPv6. A way that fails or is silent does
 * not spoil the others; what it said last is kept. One that says that there are none has answered.
 */
export class HostAddresses {
  readonly #known = new Map<AskFamily, Known>();
  /** The ways that were waited for in vain, until they answer in time. */
  readonly #late = new Set<AskFamily>();
  /** The newest question of each way, while it has no answer. */
  readonly #underWay = new Map<AskFamily, Promise<Reply>>();

  constructor(
    private readonly host: string,
    private readonly ways: readonly AskFamily[],
    private readonly deps: HostDeps,
  ) {}

  /**
   * Asks anew. Comes back when every way has answered, or a little after the first one with addresses: what comes later is
   * known to the next look-up.
   * @throws Error (rejects) when no way brought an address: the first failure, or that there are none
   */
  async look(): Promise<void> {
    const open = new Set(this.ways);
    const round: Round = { askedAt: this.deps.clock.now(), answeredAt: null, open, failures: [] };
    const answers = new Map(this.ways.map((ask) => [ask, this.#answer(ask, round)]));
    const someAddresses = Promise.any(answers.values());
    await someAddresses.catch(() => {
      throw this.#reason(round.failures);
    });
    const awaited = [...open].filter((ask) => !this.#isLate(ask));
    if (awaited.length === 0) return;
    await this.deps.patience.wait(Promise.allSettled(awaited.map((ask) => answers.get(ask))));
    for (const ask of awaited) if (open.has(ask)) this.#noteLate(ask, round.askedAt);
  }

  /** What is known, in the order of the ways; what is older than allowed is not. */
  get addresses(): readonly string[] {
    return this.#usable().flatMap(({ addresses }) => addresses);
  }

  /** The shortest of the newest answers; null where nobody says. */
  get ttlMs(): number | null {
    const told = this.#usable().flatMap(({ ttlMs }) => (ttlMs === null ? [] : [ttlMs]));
    return told.length === 0 ? null : Math.min(...told);
  }

  /**
   * A question to a way that is late is not put again while it is under way: its answer is no hurry, and with look-ups that do
   * not wait for it there would be ever more of them.
   * @throws unknown (rejects) when it brought no address
   */
  async #answer(ask: AskFamily, round: Round): Promise<void> {
    const underWay = this.#isLate(ask) ? this.#underWay.get(ask) : undefined;
    const { hasAddresses, failure } = await (underWay ?? this.#put(ask, round.askedAt));
    round.open.delete(ask);
    const isAnswer = underWay === undefined && !saysNothing(failure);
    if (isAnswer && this.deps.patience.isInTime(round.answeredAt)) this.#noteInTime(ask);
    if (failure !== undefined) round.failures.push(failure);
    if (!hasAddresses) throw failure;
    round.answeredAt ??= this.deps.clock.now();
  }

  /** Puts one question; never rejects. */
  #put(ask: AskFamily, askedAt: number): Promise<Reply> {
    const question = this.#ask(ask, askedAt).finally(() => {
      if (this.#underWay.get(ask) === question) this.#underWay.delete(ask);
    });
    this.#underWay.set(ask, question);
    return question;
  }

  async #ask(ask: AskFamily, askedAt: number): Promise<Reply> {
    try {
      const answer = checked(this.host, await ask(this.host));
      this.#note(ask, { ...answer, askedAt });
      return { hasAddresses: answer.addresses.length > 0, failure: undefined };
    } catch (failure) {
      if (saysNone(failure)) this.#note(ask, { addresses: [], ttlMs: null, askedAt });
      return { hasAddresses: false, failure };
    }
  }

  #reason(failures: readonly unknown[]): unknown {
    const none = new Error(`the lookup of "${this.host}" answered without any address`);
    return failures.find((error) => !saysNone(error)) ?? failures[0] ?? none;
  }

  #isLate(ask: AskFamily): boolean {
    return this.#late.has(ask) || this.deps.patience.isSilent(ask);
  }

  #noteLate(ask: AskFamily, askedAt: number): void {
    this.#late.add(ask);
    this.deps.patience.noteLate(ask, askedAt);
  }

  #noteInTime(ask: AskFamily): void {
    this.#late.delete(ask);
    this.deps.patience.noteAnswered(ask);
  }

  /** Answers may overtake each other. */
  #note(ask: AskFamily, known: Known): void {
    const before = this.#known.get(ask);
    if (before === undefined || before.askedAt <= known.askedAt) this.#known.set(ask, known);
  }

  #usable(): readonly Known[] {
    const { clock, maxStaleMs } = this.deps;
    const oldest = maxStaleMs === null ? Number.NEGATIVE_INFINITY : clock.now() - maxStaleMs;
    return this.ways.flatMap((ask) => {
      const known = this.#known.get(ask);
      return known === undefined || known.askedAt < oldest ? [] : [known];
    });
  }
}

/** A look-up function of somebody else's may answer anything. */
function checked(host: string, answer: FamilyAnswer): FamilyAnswer {
  const stranger = answer.addresses.find((address) => isIP(address) === 0);
  if (stranger === undefined) return answer;
  throw new Error(`the lookup of "${host}" answered ${JSON.stringify(stranger)}, which is no IP address`);
}
