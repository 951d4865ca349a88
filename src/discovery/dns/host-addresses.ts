import { isIP } from "node:net";
import type { Clock } from "../../core/index.js";
import { saysNone } from "./dns-queries.js";

/** What one way of asking says of a host. */
export interface FamilyAnswer {
  readonly addresses: readonly string[];
  /** How long they may be kept, in milliseconds; null where nobody says. */
  readonly ttlMs: number | null;
}

/** Asks for a host, or for one of its families of addresses. */
export type AskFamily = (host: string) => Promise<FamilyAnswer>;

interface Known extends FamilyAnswer {
  /** When this was asked for, monotonic ms. */
  readonly askedAt: number;
}

/** How long what was known is used while a way of asking fails; null for ever. */
export interface Staleness {
  readonly clock: Pick<Clock, "now">;
  readonly maxStaleMs: number | null;
}

/**
 * The addresses of one host, asked for in one or several ways at once: IPv4 and IPv6. A way that fails does not spoil the
 * others; what it said last is kept. One that says that there are none has answered.
 */
export class HostAddresses {
  readonly #known = new Map<AskFamily, Known>();

  constructor(
    private readonly host: string,
    private readonly ways: readonly AskFamily[],
    private readonly staleness: Staleness,
  ) {}

  /**
   * Asks anew.
   * @throws Error (rejects) when no way brought an address: the first failure, or that there are none
   */
  async look(): Promise<void> {
    const askedAt = this.staleness.clock.now();
    const failures: unknown[] = [];
    let isAnswered = false;
    await Promise.all(
      this.ways.map(async (ask) => {
        try {
          const answer = checked(this.host, await ask(this.host));
          this.#note(ask, { ...answer, askedAt });
          if (answer.addresses.length > 0) isAnswered = true;
        } catch (error) {
          if (saysNone(error)) this.#note(ask, { addresses: [], ttlMs: null, askedAt });
          failures.push(error);
        }
      }),
    );
    if (isAnswered) return;
    const [first] = failures;
    throw (
      failures.find((error) => !saysNone(error)) ??
      first ??
      new Error(`the lookup of "${this.host}" answered without any address`)
    );
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

  /** Answers may overtake each other. */
  #note(ask: AskFamily, known: Known): void {
    const before = this.#known.get(ask);
    if (before === undefined || before.askedAt <= known.askedAt) this.#known.set(ask, known);
  }

  #usable(): readonly Known[] {
    const { clock, maxStaleMs } = this.staleness;
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
